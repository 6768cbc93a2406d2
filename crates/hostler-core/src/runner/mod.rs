//! A runner: a machine that a provider was asked for. Nothing of it is stored
//! here; its status is computed from what the provider and the fleet say.
//!
//! ```text
//!  pending ──on a machine──▶ provisioning ──its program runs, it registered──▶ ready
//!     │ deadline passed           ▲     │                                        │
//!     ▼                           │     └───────── a program gone ◀──────────────┘
//!  failed ──on a machine after all┘
//! ```
//!
//! A failure to ask the provider is no fact about a runner: whoever could not
//! ask keeps the facts it had.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What became of the request for a machine (a placeholder pod, an instance).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// No machine yet.
    Waiting,
    /// On a machine.
    Placed,
    /// Ended by the provider; there will be no machine.
    Failed,
}

/// The program that makes the machine a runner (the runner pod).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// Not there, not yet up, or being stopped.
    Starting,
    /// Up and ready, on a machine that is ready.
    Running,
    /// Failing again and again for longer than is granted.
    Broken,
}

/// Whether the machine is a node of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// It is not meant to be one.
    NotAsked,
    /// It has not registered yet.
    Awaited,
    /// It has registered.
    Registered,
}

/// What is known of a runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunnerFacts {
    /// What became of the request for its machine.
    pub request: Request,
    /// When a request that still waits is given up.
    pub deadline: Timestamp,
    /// The program on its machine.
    pub program: Program,
    /// Whether its machine is a node of the fleet.
    pub membership: Membership,
}

/// A runner's status as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunnerStatus {
    /// Asked for, no machine yet.
    Pending,
    /// On a machine, not yet at work.
    Provisioning,
    /// At work.
    Ready,
    /// Could not be given a machine, or does not run on it.
    Failed,
}

/// The status that follows from the facts at `now`.
pub fn runner_status(facts: &RunnerFacts, now: Timestamp) -> RunnerStatus {
    match (facts.request, facts.program, facts.membership) {
        (Request::Failed, _, _) | (Request::Placed, Program::Broken, _) => RunnerStatus::Failed,
        (Request::Waiting, _, _) if now >= facts.deadline => RunnerStatus::Failed,
        (Request::Waiting, _, _) => RunnerStatus::Pending,
        (Request::Placed, Program::Starting, _)
        | (Request::Placed, Program::Running, Membership::Awaited) => RunnerStatus::Provisioning,
        (Request::Placed, Program::Running, Membership::NotAsked | Membership::Registered) => {
            RunnerStatus::Ready
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Membership::{Awaited, NotAsked, Registered};
    use Program::{Broken, Running, Starting};

    const DEADLINE: Timestamp = Timestamp::from_ms(600_000);

    #[track_caller]
    fn check(request: Request, program: Program, membership: Membership, expected: [&str; 2]) {
        let facts = RunnerFacts {
            request,
            deadline: DEADLINE,
            program,
            membership,
        };
        let moments = [Timestamp::from_ms(599_999), DEADLINE];
        let said = moments.map(|now| serde_json::to_value(runner_status(&facts, now)).unwrap());
        assert_eq!(said, expected, "{facts:?}");
    }

    #[test]
    fn the_status_follows_from_the_facts_before_and_after_the_deadline() {
        for membership in [NotAsked, Awaited, Registered] {
            for program in [Starting, Running, Broken] {
                check(Request::Waiting, program, membership, ["pending", "failed"]);
                check(Request::Failed, program, membership, ["failed"; 2]);
            }
            check(Request::Placed, Starting, membership, ["provisioning"; 2]);
            check(Request::Placed, Broken, membership, ["failed"; 2]);
        }
        check(Request::Placed, Running, NotAsked, ["ready"; 2]);
        check(Request::Placed, Running, Awaited, ["provisioning"; 2]);
        check(Request::Placed, Running, Registered, ["ready"; 2]);
    }
}
