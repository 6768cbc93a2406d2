//! Where the agent stands, as it answers a ping. Phases only move forward.

use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(any(feature = "wasm", feature = "js"))]
use std::time::Duration;
use std::time::Instant;

use hostler_wire::agent::{AgentDeployRequest, AgentPhase, AgentState};

/// The one record of what the agent does.
pub(crate) struct Status(Mutex<Facts>);

struct Facts {
    state: AgentState,
    started: Option<Instant>,
    ended: Option<Instant>,
}

impl Status {
    pub(crate) fn new(slot: &str) -> Self {
        let state = AgentState {
            id: slot.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..AgentState::default()
        };
        Self(Mutex::new(Facts {
            state,
            started: None,
            ended: None,
        }))
    }

    /// A workload was given to the agent.
    pub(crate) fn starting(&self, request: &AgentDeployRequest) {
        let state = &mut self.facts().state;
        state.state = AgentPhase::Starting;
        state.namespace = Some(request.namespace.clone());
        state.workload_name = Some(request.workload_name.clone());
        state.workload_type = Some(request.workload_type.clone());
        state.hash = Some(request.hash.clone());
        state.generation = request.generation;
    }

    /// A process is being started, or a module compiled.
    pub(crate) fn count_start(&self) {
        self.facts().state.starts += 1;
    }

    /// The workload runs.
    pub(crate) fn running(&self, pid: Option<u32>) {
        let mut facts = self.facts();
        // A process may end before it is known to run.
        if facts.state.state == AgentPhase::Starting {
            facts.state.state = AgentPhase::Running;
            facts.state.pid = pid;
            facts.started = Some(Instant::now());
        }
    }

    /// The workload has ended, or will never run.
    pub(crate) fn exited(&self, code: Option<i32>) {
        let mut facts = self.facts();
        if facts.state.state != AgentPhase::Exited {
            facts.state.state = AgentPhase::Exited;
            facts.state.code = code;
            facts.state.pid = None;
            facts.ended = Some(Instant::now());
        }
    }

    /// A function was called.
    #[cfg(any(feature = "wasm", feature = "js"))]
    pub(crate) fn called(&self, took: Duration) {
        let state = &mut self.facts().state;
        state.calls += 1;
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        state.runtime_ns = state.runtime_ns.saturating_add(took);
    }

    /// Whether something runs, or is about to.
    pub(crate) fn is_busy(&self) -> bool {
        let phase = self.facts().state.state;
        matches!(phase, AgentPhase::Starting | AgentPhase::Running)
    }

    /// The answer to a ping.
    pub(crate) fn state(&self, dropped_logs: u64) -> AgentState {
        let facts = self.facts();
        let until = facts.ended.unwrap_or_else(Instant::now);
        let uptime = facts
            .started
            .map(|started| until - started)
            .unwrap_or_default();
        AgentState {
            uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
            dropped_logs,
            clock_ms: Some(crate::lease::clock_ms()),
            ..facts.state.clone()
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_only_move_forward() {
        let status = Status::new("s1");
        assert!(!status.is_busy());
        status.starting(&AgentDeployRequest::default());
        status.exited(Some(7));
        status.running(Some(1));
        status.exited(Some(0));
        let state = status.state(3);
        assert_eq!(state.state, AgentPhase::Exited);
        assert_eq!(
            (state.code, state.pid, state.dropped_logs),
            (Some(7), None, 3)
        );
        assert_eq!(state.uptime_ms, 0);
    }
}
