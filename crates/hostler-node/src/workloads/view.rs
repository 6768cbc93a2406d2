//! What there is to see of the work of this node. Published by the tasks that
//! own it, read by everybody else without waiting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::{SlotId, WorkloadId};
use hostler_core::workload::SeenState;
use hostler_wire::node_api::{Entry, Unclaimed};
use hostler_wire::rest::Resources;
use tokio::time::Instant;

use crate::ledger::{Origin, Work};
use crate::triggers::Computed;

/// One piece of work, as it is now.
#[derive(Clone, Debug)]
pub struct View {
    /// What the ledger says of it.
    pub work: Work,
    /// What the node says of it.
    pub state: SeenState,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// Its id on the NATS control API: its slot, or the one it had last.
    pub slot: Option<SlotId>,
    /// Since when it runs.
    pub since: Option<Instant>,
    /// What it has computed, if it is a function.
    pub computed: Arc<Computed>,
}

impl View {
    /// Whether an agent has it, or soon will again.
    pub fn is_listed(&self) -> bool {
        let alive = matches!(self.state, SeenState::Starting | SeenState::Running);
        alive && self.slot.is_some()
    }

    /// How long it has been running.
    pub fn uptime(&self) -> Option<Duration> {
        self.since.map(|since| since.elapsed())
    }

    /// Its line in a heartbeat, if the control plane ordered it.
    pub fn entry(&self) -> Option<Entry> {
        (self.work.origin == Origin::Fleet).then(|| Entry {
            id: self.work.id,
            generation: self.work.generation,
            state: self.state,
            slot: self.work.slot.map(|slot| slot.to_string()),
            restarts: self.work.restarts,
            problem: self.problem.clone(),
        })
    }

    /// Its line in a heartbeat, if somebody else deployed it.
    pub fn unclaimed(&self) -> Option<Unclaimed> {
        let plan = self.work.plan.as_ref()?;
        let local = matches!(self.work.origin, Origin::Local { .. });
        let slot = self.slot.map(|slot| slot.to_string());
        local.then(|| Unclaimed {
            slot: slot.unwrap_or_else(|| self.work.id.to_string()),
            namespace: plan.namespace.clone(),
            name: plan.name.clone(),
            resources: Resources {
                cpu_millis: plan.resources.cpu.as_millis(),
                memory_bytes: plan.resources.memory.get(),
            },
        })
    }
}

/// All work of this node.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Every piece of work, tombstones included.
    pub views: BTreeMap<WorkloadId, Arc<View>>,
    /// Whether new work is refused.
    pub lame_duck: bool,
}

impl Roster {
    /// The work that people know by this slot.
    pub fn by_slot(&self, slot: SlotId) -> Option<&Arc<View>> {
        let has = |view: &&Arc<View>| view.slot == Some(slot);
        self.views.values().find(has)
    }

    /// How many agents have work.
    pub fn running(&self) -> u64 {
        let listed = self.views.values().filter(|view| view.is_listed());
        listed.count() as u64
    }

    /// Whether nothing is held but tombstones and what ended.
    pub fn is_idle(&self) -> bool {
        self.views.values().all(|view| {
            let done = matches!(
                view.state,
                SeenState::Absent | SeenState::Ended | SeenState::Failed
            );
            done && view.work.slot.is_none()
        })
    }
}
