//! Slots without processes: agents that are tasks of this very process and
//! speak the agents' protocol over the real inner server.
//!
//! For tests and for simulated nodes; the whole node runs above it unchanged.
//! What a [`Fake`] holds outlives the slots that use it, as processes would:
//! keep a clone, drop the slots, start again with the clone, and its agents
//! are found alive. Clones share everything.

mod agent;
mod lease;
mod script;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::id::SlotId;
use hostler_wire::agent::AgentState;

use self::agent::FakeAgent;
use super::{BootError, BootSpec, Found, Isolation, KillError, LimitError, Limits, MicroVms};

pub use script::Script;

/// The driver, and the means to make its agents misbehave.
#[derive(Clone, Debug, Default)]
pub struct Fake {
    world: Arc<World>,
}

#[derive(Debug, Default)]
struct World {
    agents: Mutex<HashMap<SlotId, FakeAgent>>,
    script: Arc<Mutex<Script>>,
}

impl Fake {
    /// Changes how boots and deploys go from now on.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.world.script));
    }

    /// The slots whose agents live.
    pub fn alive(&self) -> Vec<SlotId> {
        let agents = self.agents();
        let alive = agents.iter().filter(|(_, agent)| agent.is_alive());
        alive.map(|(slot, _)| *slot).collect()
    }

    /// What the slot's agent says of itself.
    pub fn state(&self, slot: SlotId) -> Option<AgentState> {
        self.agents().get(&slot).map(FakeAgent::state)
    }

    /// The limits put on the slot.
    pub fn limits(&self, slot: SlotId) -> Option<Limits> {
        self.agents().get(&slot).and_then(FakeAgent::limits)
    }

    /// In how long the slot's agent ends with its lease, as far as it knows.
    pub fn lease_left(&self, slot: SlotId) -> Option<Duration> {
        self.agents().get(&slot).and_then(FakeAgent::lease_left)
    }

    /// Has the slot's workload write a line.
    pub async fn print(&self, slot: SlotId, text: &str) {
        let agent = self.agents().get(&slot).cloned();
        if let Some(agent) = agent {
            agent.print(text).await;
        }
    }

    /// Has the slot's workload end by itself with this code.
    pub async fn exit(&self, slot: SlotId, code: i32) {
        let agent = self.agents().get(&slot).cloned();
        if let Some(agent) = agent {
            agent.exit(code).await;
        }
    }

    /// Has the slot's agent die without a word.
    pub fn die(&self, slot: SlotId) {
        if let Some(agent) = self.agents().get(&slot) {
            agent.die();
        }
    }

    fn agents(&self) -> MutexGuard<'_, HashMap<SlotId, FakeAgent>> {
        lock(&self.world.agents)
    }
}

#[async_trait]
impl MicroVms for Fake {
    async fn boot(&self, slot: SlotId, spec: &BootSpec) -> Result<(), BootError> {
        if lock(&self.world.script).boot_fails() {
            return Err(BootError::Refused);
        }
        let script = Arc::clone(&self.world.script);
        let agent = FakeAgent::start(slot, spec.clone(), script);
        self.agents().insert(slot, agent);
        Ok(())
    }

    async fn list(&self) -> std::io::Result<Vec<Found>> {
        let found = |(slot, agent): (&SlotId, &FakeAgent)| Found {
            slot: *slot,
            alive: agent.is_alive(),
        };
        Ok(self.agents().iter().map(found).collect())
    }

    async fn ended(&self, slot: SlotId) {
        let agent = self.agents().get(&slot).cloned();
        if let Some(agent) = agent {
            agent.ended().await;
        }
    }

    async fn limit(&self, slot: SlotId, limits: Limits) -> Result<(), LimitError> {
        if let Some(agent) = self.agents().get(&slot) {
            agent.limit(limits);
        }
        Ok(())
    }

    async fn kill(&self, slot: SlotId) -> Result<(), KillError> {
        self.die(slot);
        Ok(())
    }

    async fn forget(&self, slot: SlotId) -> std::io::Result<()> {
        self.agents().remove(&slot);
        Ok(())
    }

    fn isolation(&self) -> Isolation {
        Isolation {
            driver: "fake",
            measures: Vec::new(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
