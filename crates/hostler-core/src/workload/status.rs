//! A workload's status as people read it, computed from facts at every look.

use serde::{Deserialize, Serialize};

use super::{Goal, SeenState, WorkloadFacts};
use crate::node::Availability;

/// Where a workload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkloadStatus {
    /// Wanted, without a seat yet.
    Queued,
    /// Seated, not yet running.
    Starting,
    /// Running.
    Running,
    /// No longer wanted, not yet gone from its node.
    Stopping,
    /// Not running, by wish or because it ended with success.
    Stopped,
    /// Seated on a node that is silent.
    Unknown,
    /// Given up by its node.
    Failed,
    /// Being forgotten.
    Deleting,
}

/// The status that follows from the facts; `seat` is the availability of the
/// seat's node, if there is a seat and its node is known.
pub fn status(facts: &WorkloadFacts, seat: Option<Availability>) -> WorkloadStatus {
    match (facts.goal, facts.seat, seat) {
        (Goal::Gone, _, _) => WorkloadStatus::Deleting,
        (Goal::Running, None, _) => WorkloadStatus::Queued,
        (Goal::Stopped, None, _) => WorkloadStatus::Stopped,
        (_, Some(_), None | Some(Availability::Offline | Availability::Pending)) => {
            WorkloadStatus::Unknown
        }
        (Goal::Stopped, Some(_), Some(_)) => WorkloadStatus::Stopping,
        (Goal::Running, Some(_), Some(_)) => wanted(facts.seen_now()),
    }
}

fn wanted(seen: Option<SeenState>) -> WorkloadStatus {
    match seen {
        None | Some(SeenState::Absent | SeenState::Starting | SeenState::Fenced) => {
            WorkloadStatus::Starting
        }
        Some(SeenState::Running) => WorkloadStatus::Running,
        Some(SeenState::Stopping) => WorkloadStatus::Stopping,
        Some(SeenState::Ended) => WorkloadStatus::Stopped,
        Some(SeenState::Failed) => WorkloadStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Generation;
    use crate::id::{NodeId, WorkloadId};
    use crate::workload::{OnNodeLoss, Seen};

    fn facts(goal: Goal, seated: bool, seen: Option<(u64, SeenState)>) -> WorkloadFacts {
        WorkloadFacts {
            id: WorkloadId::from_parts(1, [2; 10]),
            goal,
            generation: Generation::new(3),
            seat: seated.then(|| NodeId::from_parts(1, [1; 10])),
            seen: seen.map(|(number, state)| Seen {
                generation: Generation::new(number),
                state,
            }),
            on_node_loss: OnNodeLoss::Restart,
        }
    }

    #[test]
    fn the_status_follows_from_goal_seat_and_sight() {
        use Availability::{Offline, Online, Suspect};
        use WorkloadStatus as Is;
        let (running, older) = (Some((3, SeenState::Running)), Some((2, SeenState::Running)));
        let now = |state| Some((3, state));
        let table = [
            (Goal::Running, None, None, Is::Queued),
            (Goal::Stopped, None, None, Is::Stopped),
            (Goal::Running, Some(Online), None, Is::Starting),
            (Goal::Running, Some(Online), running, Is::Running),
            (Goal::Running, Some(Suspect), running, Is::Running),
            (Goal::Running, Some(Offline), running, Is::Unknown),
            (Goal::Running, Some(Online), older, Is::Starting),
            (
                Goal::Running,
                Some(Online),
                now(SeenState::Fenced),
                Is::Starting,
            ),
            (
                Goal::Running,
                Some(Online),
                now(SeenState::Failed),
                Is::Failed,
            ),
            (
                Goal::Running,
                Some(Online),
                now(SeenState::Ended),
                Is::Stopped,
            ),
            (Goal::Stopped, Some(Online), running, Is::Stopping),
            (Goal::Gone, Some(Offline), running, Is::Deleting),
        ];
        for (goal, seat, seen, expected) in table {
            let found = status(&facts(goal, seat.is_some(), seen), seat);
            assert_eq!(found, expected, "{goal:?} {seat:?} {seen:?}");
        }
    }

    #[test]
    fn a_seat_on_an_unregistered_node_is_unknown() {
        let seated = facts(Goal::Running, true, None);
        assert_eq!(status(&seated, None), WorkloadStatus::Unknown);
    }
}
