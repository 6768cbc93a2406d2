//! A VM's status as people read it, computed from facts at every look.

use serde::{Deserialize, Serialize};

use super::{VmFacts, VmGoal, VmSeenState};
use crate::node::Availability;
use crate::workload::OnNodeLoss;

/// Where a VM stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VmStatus {
    /// Wanted, without a seat yet.
    Queued,
    /// Seated; its image is fetched, or its disks are made.
    Preparing,
    /// Being started.
    Starting,
    /// Running.
    Running,
    /// In memory, standing still.
    Paused,
    /// Being shut down.
    Stopping,
    /// Off.
    Stopped,
    /// On a node that is silent.
    Unknown,
    /// Given up by its node.
    Failed,
    /// Its disk cannot be reached: its node is lost, or was given up.
    Lost,
    /// Being deleted.
    Deleting,
    /// In the trash: off, and deleted when its time there is over.
    Trashed,
}

/// What is known of the node a VM is seated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatSight {
    /// How it was last heard.
    pub availability: Availability,
    /// Whether its lease has run out.
    pub is_lost: bool,
}

/// The status that follows from the facts; `seat` is what is known of the
/// seat's node, if there is a seat and its node is known.
pub fn vm_status(facts: &VmFacts, seat: Option<SeatSight>) -> VmStatus {
    if facts.goal == VmGoal::Gone {
        return VmStatus::Deleting;
    }
    if facts.trashed_at.is_some() {
        return VmStatus::Trashed;
    }
    match (facts.seat, seat) {
        (None, _) if facts.waits_for_its_disk() => VmStatus::Lost,
        (None, _) => VmStatus::Queued,
        (Some(_), None) => VmStatus::Unknown,
        (Some(_), Some(sight)) => seated(facts, sight),
    }
}

fn seated(facts: &VmFacts, sight: SeatSight) -> VmStatus {
    // Its node has ended it by now, and nobody may start it elsewhere.
    let bound = facts.on_node_loss == OnNodeLoss::Restart && !facts.may_begin_anew();
    match sight.availability {
        _ if sight.is_lost && bound => VmStatus::Lost,
        Availability::Offline | Availability::Pending => VmStatus::Unknown,
        Availability::Online | Availability::Suspect => on_node(facts.goal, facts.seen_now()),
    }
}

fn on_node(goal: VmGoal, seen: Option<VmSeenState>) -> VmStatus {
    match (seen, goal) {
        (Some(VmSeenState::Failed), _) => VmStatus::Failed,
        (Some(VmSeenState::Preparing | VmSeenState::Absent), _) => VmStatus::Preparing,
        (Some(VmSeenState::Stopped), _) => VmStatus::Stopped,
        (Some(VmSeenState::Stopping), _)
        | (None | Some(VmSeenState::Running | VmSeenState::Paused), VmGoal::Stopped) => {
            VmStatus::Stopping
        }
        (None | Some(VmSeenState::Starting | VmSeenState::Fenced), _) => VmStatus::Starting,
        (Some(VmSeenState::Running), _) => VmStatus::Running,
        (Some(VmSeenState::Paused), _) => VmStatus::Paused,
    }
}

#[cfg(test)]
mod tests {
    use super::super::DiskOnLoss;
    use super::super::step::tests::seated as facts;
    use super::*;
    use crate::Timestamp;

    const ONLINE: SeatSight = SeatSight {
        availability: Availability::Online,
        is_lost: false,
    };
    const OFFLINE: SeatSight = SeatSight {
        availability: Availability::Offline,
        is_lost: false,
    };
    const LOST: SeatSight = SeatSight {
        is_lost: true,
        ..OFFLINE
    };

    #[test]
    fn the_status_follows_from_goal_seat_and_sight() {
        use VmGoal::{Gone, Paused, Running, Stopped};
        use VmSeenState as Seen;
        use VmStatus as Is;
        let table = [
            (Running, None, ONLINE, Is::Starting),
            (Stopped, None, ONLINE, Is::Stopping),
            (Running, Some(Seen::Preparing), ONLINE, Is::Preparing),
            (Stopped, Some(Seen::Preparing), ONLINE, Is::Preparing),
            (Running, Some(Seen::Starting), ONLINE, Is::Starting),
            (Running, Some(Seen::Running), ONLINE, Is::Running),
            (Running, Some(Seen::Paused), ONLINE, Is::Paused),
            (Running, Some(Seen::Stopped), ONLINE, Is::Stopped),
            (Running, Some(Seen::Fenced), ONLINE, Is::Starting),
            (Running, Some(Seen::Failed), ONLINE, Is::Failed),
            (Paused, Some(Seen::Paused), ONLINE, Is::Paused),
            (Stopped, Some(Seen::Running), ONLINE, Is::Stopping),
            (Stopped, Some(Seen::Stopping), ONLINE, Is::Stopping),
            (Stopped, Some(Seen::Stopped), ONLINE, Is::Stopped),
            (Running, Some(Seen::Running), OFFLINE, Is::Unknown),
            (Running, Some(Seen::Running), LOST, Is::Unknown),
            (Gone, Some(Seen::Running), OFFLINE, Is::Deleting),
        ];
        for (goal, seen, sight, expected) in table {
            let found = vm_status(&facts(goal, seen), Some(sight));
            assert_eq!(found, expected, "{goal:?} {seen:?} {sight:?}");
        }
    }

    #[test]
    fn what_its_lease_bound_is_lost_with_its_node_and_found_with_it() {
        let bound = VmFacts {
            on_node_loss: OnNodeLoss::Restart,
            ..facts(VmGoal::Running, Some(VmSeenState::Running))
        };
        assert_eq!(vm_status(&bound, Some(OFFLINE)), VmStatus::Unknown);
        assert_eq!(vm_status(&bound, Some(LOST)), VmStatus::Lost);
        assert_eq!(vm_status(&bound, Some(ONLINE)), VmStatus::Running);
        let anew = VmFacts {
            disk_on_loss: DiskOnLoss::Fresh,
            ..bound
        };
        assert_eq!(vm_status(&anew, Some(LOST)), VmStatus::Unknown);
    }

    #[test]
    fn without_a_seat_it_waits_or_has_lost_its_disk_or_lies_in_the_trash() {
        let unseated = VmFacts {
            seat: None,
            ..facts(VmGoal::Running, None)
        };
        let lost = VmFacts {
            is_disk_lost: true,
            ..unseated
        };
        let trashed = VmFacts {
            trashed_at: Some(Timestamp::from_ms(1)),
            ..lost
        };
        assert_eq!(vm_status(&unseated, None), VmStatus::Queued);
        assert_eq!(vm_status(&lost, None), VmStatus::Lost);
        assert_eq!(vm_status(&trashed, None), VmStatus::Trashed);
    }
}
