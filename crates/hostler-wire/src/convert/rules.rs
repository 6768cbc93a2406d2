//! Placement rules: the same shape on both sides, frozen on the wire.

use hostler_core::placement;

use crate::rest;

impl From<rest::Affinity> for placement::Affinity {
    fn from(wire: rest::Affinity) -> Self {
        Self {
            labels: wire.labels,
            topology: wire.topology,
            required: wire.required,
        }
    }
}

impl From<placement::Affinity> for rest::Affinity {
    fn from(core: placement::Affinity) -> Self {
        Self {
            labels: core.labels,
            topology: core.topology,
            required: core.required,
        }
    }
}

impl From<rest::Spread> for placement::Spread {
    fn from(wire: rest::Spread) -> Self {
        Self {
            topology: wire.topology,
            labels: wire.labels,
        }
    }
}

impl From<placement::Spread> for rest::Spread {
    fn from(core: placement::Spread) -> Self {
        Self {
            topology: core.topology,
            labels: core.labels,
        }
    }
}

impl From<rest::PlacementRules> for placement::Rules {
    fn from(wire: rest::PlacementRules) -> Self {
        Self {
            node_labels: wire.node_labels,
            affinity: wire.affinity.into_iter().map(Into::into).collect(),
            anti_affinity: wire.anti_affinity.into_iter().map(Into::into).collect(),
            spread: wire.spread.map(Into::into),
        }
    }
}

impl From<placement::Rules> for rest::PlacementRules {
    fn from(core: placement::Rules) -> Self {
        Self {
            node_labels: core.node_labels,
            affinity: core.affinity.into_iter().map(Into::into).collect(),
            anti_affinity: core.anti_affinity.into_iter().map(Into::into).collect(),
            spread: core.spread.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hostler_core::placement;

    use crate::rest;

    #[test]
    fn rules_survive_the_way_there_and_back() {
        let labels = |value: &str| BTreeMap::from([("app".to_owned(), value.to_owned())]);
        let affinity = |value: &str, required| rest::Affinity {
            labels: labels(value),
            topology: Some("zone".to_owned()),
            required,
        };
        let wire = rest::PlacementRules {
            node_labels: labels("n"),
            affinity: vec![affinity("near", true)],
            anti_affinity: vec![affinity("far", false)],
            spread: Some(rest::Spread {
                topology: None,
                labels: labels("s"),
            }),
        };
        let core = placement::Rules::from(wire.clone());
        assert_eq!(core.affinity[0].labels, labels("near"));
        assert!(core.affinity[0].required && !core.anti_affinity[0].required);
        assert_eq!(rest::PlacementRules::from(core), wire);
    }
}
