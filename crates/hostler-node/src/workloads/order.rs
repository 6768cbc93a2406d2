//! An order of the control plane, checked and put into the node's own terms.

use std::collections::BTreeMap;

use hostler_core::node::Beat;
use hostler_core::workload::NodeGoal;
use hostler_core::{Bytes, Cpu, Generation, Name, Resources};
use hostler_wire::node_api::{Ensure, Order as OrderBody};

use super::EnsureError;
use crate::artifacts::is_digest;
use crate::identity::Vault;
use crate::ledger::{ArtifactRef, ArtifactSource, Plan};

/// An order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) generation: Generation,
    pub(super) beat: Option<Beat>,
    pub(super) goal: Wish,
}

/// What is ordered.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// To run by this plan, with this environment in clear.
    Run(Box<Plan>, BTreeMap<String, String>),
    /// To drop it.
    Gone,
}

impl Order {
    /// The order in a body.
    pub(super) fn read(ensure: Ensure, vault: &Vault) -> Result<Self, EnsureError> {
        let goal = match (ensure.goal, ensure.order) {
            (NodeGoal::Gone, _) => Wish::Gone,
            (NodeGoal::Running, None) => {
                return Err(EnsureError::Invalid("an order to run needs 'order'".into()));
            }
            (NodeGoal::Running, Some(order)) => {
                let environment = order.environment.clone();
                Wish::Run(Box::new(plan(order, vault)?), environment)
            }
        };
        Ok(Self {
            generation: ensure.generation,
            beat: ensure.heartbeat,
            goal,
        })
    }

    /// The goal alone.
    pub(super) fn node_goal(&self) -> NodeGoal {
        match self.goal {
            Wish::Run(..) => NodeGoal::Running,
            Wish::Gone => NodeGoal::Gone,
        }
    }
}

/// Whether a plan says what another says. Sealed texts always differ, so the
/// environments are compared in clear.
pub(super) fn same_plan(
    held: Option<&Plan>,
    asked: &Plan,
    environment: &BTreeMap<String, String>,
    vault: &Vault,
) -> bool {
    let Some(held) = held else {
        return false;
    };
    let apart_from_it = Plan {
        environment: held.environment.clone(),
        ..asked.clone()
    };
    apart_from_it == *held
        && vault
            .open(&held.environment)
            .is_ok_and(|opened| opened == *environment)
}

fn plan(order: OrderBody, vault: &Vault) -> Result<Plan, EnsureError> {
    let name = |text: &str| {
        let parsed = text.parse::<Name>();
        parsed.map_err(|error| EnsureError::Invalid(error.to_string()))
    };
    let (namespace, name) = (name(&order.project)?, name(&order.name)?);
    if !is_digest(&order.artifact) {
        let text = format!("'{}' is not a SHA-256 in lower-case hex", order.artifact);
        return Err(EnsureError::Invalid(text));
    }
    Ok(Plan {
        namespace: namespace.into(),
        name: name.into(),
        kind: order.kind,
        artifact: ArtifactRef {
            digest: order.artifact,
            size: order.artifact_size,
            source: ArtifactSource::ControlPlane,
        },
        argv: order.argv,
        environment: vault.seal(&order.environment)?,
        triggers: order.triggers,
        essential: order.essential,
        resources: Resources {
            cpu: Cpu::millis(order.resources.cpu_millis),
            memory: Bytes::new(order.resources.memory_bytes),
        },
        pids: order.pids,
        on_node_loss: order.on_node_loss,
        description: order.description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::plan;
    use hostler_wire::nats::nkey::XKey;

    #[test]
    fn plans_are_compared_by_what_they_say() {
        let vault = Vault::new(XKey::new());
        let environment = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        let sealed = |environment| Plan {
            environment: vault.seal(environment).unwrap(),
            ..plan()
        };
        let held = sealed(&environment);
        let asked = sealed(&environment);
        assert_ne!(held.environment, asked.environment);
        assert!(same_plan(Some(&held), &asked, &environment, &vault));
        assert!(!same_plan(Some(&held), &asked, &BTreeMap::new(), &vault));
        assert!(!same_plan(None, &asked, &environment, &vault));
        let other = Plan {
            argv: vec!["-v".into()],
            ..asked
        };
        assert!(!same_plan(Some(&held), &other, &environment, &vault));
    }
}
