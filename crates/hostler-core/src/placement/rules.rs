//! What a unit of work asks of the place it is given. A rule binds the unit
//! that carries it, at the moment it is placed; it holds nobody else away.

use serde::{Deserialize, Serialize};

use crate::id::WorkloadId;
use crate::{Bytes, Labels, Name, Resources};

/// A wish to be near to, or far from, units of the same project.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affinity {
    /// Units that carry all of these labels are meant; with none given, all.
    pub labels: Labels,
    /// The node label whose value names a place; absent: each node is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// Refuse a place that does not fulfil it, instead of preferring others.
    #[serde(default)]
    pub required: bool,
}

/// A wish to have the units of a kind evenly over places.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The node label whose value names a place; absent: each node is one. A
    /// node without the label comes after all those that carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// Units of the same project that carry all of these labels are counted.
    pub labels: Labels,
}

/// Where a unit may be placed, and where it would rather be.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Labels its node must carry, all of them.
    pub node_labels: Labels,
    /// Near to these. A required one that means the unit's own kind is waived
    /// for the first of that kind, which would never be placed otherwise.
    pub affinity: Vec<Affinity>,
    /// Far from these. A node without the topology label is far from all.
    pub anti_affinity: Vec<Affinity>,
    /// Evenly over these.
    pub spread: Option<Spread>,
}

/// Something to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its id.
    pub id: WorkloadId,
    /// Its project; rules about other units see only those of the same one.
    pub project: Name,
    /// What it takes from its node, besides one slot.
    pub resources: Resources,
    /// The disk it takes from its node's room for VMs; workloads take none.
    pub disk: Bytes,
    /// What other units' rules know it by.
    pub labels: Labels,
    /// Where it may be placed.
    pub rules: Rules,
}

/// Whether `labels` carry every pair of `wanted`.
pub(crate) fn carries(labels: &Labels, wanted: &Labels) -> bool {
    wanted
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_from_the_body_that_people_write() {
        let text = r#"{"anti_affinity": [{"labels": {"app": "web"}, "topology": "zone",
            "required": true}], "spread": {"labels": {}}}"#;
        let rules: Rules = serde_json::from_str(text).unwrap();
        assert_eq!(rules.anti_affinity[0].topology.as_deref(), Some("zone"));
        assert!(rules.anti_affinity[0].required);
        assert_eq!(rules.spread, Some(Spread::default()));
        assert!(serde_json::from_str::<Rules>(r#"{"afinity": []}"#).is_err());
    }

    #[test]
    fn no_wanted_labels_mean_everybody() {
        let web = Labels::from([("app".into(), "web".into()), ("tier".into(), "1".into())]);
        let app = Labels::from([("app".into(), "web".into())]);
        assert!(carries(&web, &Labels::new()));
        assert!(carries(&web, &app));
        assert!(!carries(&app, &web));
    }
}
