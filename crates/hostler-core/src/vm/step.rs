//! The one next step of the control plane for a VM, as
//! [`crate::workload::next_step`] is for a workload; all that is said there of
//! looking again holds here too.
//!
//! Two differences. A seat is where the disk is: it is kept while the VM is
//! stopped, and on a lost node unless its owner said that the VM may begin
//! anew from its image. And the order is the whole document, so a step names
//! no goal: the node is told what the row says.

use super::{VmFacts, VmGoal, VmSeenState};
use crate::Generation;
use crate::id::NodeId;
use crate::workload::{OnNodeLoss, SeatView};

/// What a pass should do about a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VmStep {
    /// All is as wanted, or only time will tell.
    Nothing,
    /// Find it a seat.
    Place,
    /// Tell the seat's node what is wanted, at the present generation.
    Ensure(NodeId),
    /// Take the seat away and give its room back; raises the generation.
    Unseat(NodeId),
    /// Forget it, leaving a tombstone of its generation.
    Erase,
    /// Raise its generation to this one: its node was told a higher one than
    /// the row has.
    Raise(Generation),
}

/// The next step; `seat` is `None` also when the seat's node was unregistered.
pub fn vm_next_step(facts: &VmFacts, seat: Option<SeatView>) -> VmStep {
    let Some(node) = facts.seat else {
        return unseated(facts);
    };
    let Some(view) = seat else {
        return VmStep::Unseat(node);
    };
    if view.lost && leaves_lost_node(facts) {
        return VmStep::Unseat(node);
    }
    if !view.reachable {
        return VmStep::Nothing;
    }
    if let Some(seen) = facts.seen.filter(|seen| seen.generation > facts.generation) {
        return VmStep::Raise(seen.generation.next());
    }
    match (facts.seen_now(), facts.goal) {
        // Its disk is not there: on purpose, or not.
        (Some(VmSeenState::Absent), _) => VmStep::Unseat(node),
        (None | Some(VmSeenState::Fenced), _) | (Some(_), VmGoal::Gone) => VmStep::Ensure(node),
        (Some(_), _) => VmStep::Nothing,
    }
}

fn unseated(facts: &VmFacts) -> VmStep {
    let waits = facts.trashed_at.is_some() || facts.waits_for_its_disk();
    match facts.goal {
        VmGoal::Gone => VmStep::Erase,
        _ if waits => VmStep::Nothing,
        VmGoal::Running | VmGoal::Paused | VmGoal::Stopped => VmStep::Place,
    }
}

/// A lost node has fenced what its lease binds. What is off stays where its
/// disk is; what nobody wants any more goes, and its node is told when it
/// comes back.
fn leaves_lost_node(facts: &VmFacts) -> bool {
    match facts.goal {
        VmGoal::Running | VmGoal::Paused => facts.may_begin_anew(),
        VmGoal::Gone => facts.on_node_loss == OnNodeLoss::Restart,
        VmGoal::Stopped => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{DiskOnLoss, VmSeen};
    use super::*;
    use crate::Timestamp;
    use crate::id::VmId;

    const FINE: SeatView = SeatView {
        reachable: true,
        lost: false,
        draining: false,
    };
    const SILENT: SeatView = SeatView {
        reachable: false,
        ..FINE
    };
    const LOST: SeatView = SeatView {
        lost: true,
        ..SILENT
    };

    fn node() -> NodeId {
        NodeId::from_parts(1, [1; 10])
    }

    pub(in crate::vm) fn seated(goal: VmGoal, seen: Option<VmSeenState>) -> VmFacts {
        let generation = Generation::new(3);
        VmFacts {
            id: VmId::from_parts(1, [2; 10]),
            goal,
            generation,
            seat: Some(node()),
            seen: seen.map(|state| VmSeen { generation, state }),
            on_node_loss: OnNodeLoss::Wait,
            disk_on_loss: DiskOnLoss::Keep,
            is_disk_lost: false,
            trashed_at: None,
        }
    }

    #[track_caller]
    fn check(facts: VmFacts, view: SeatView, expected: VmStep) {
        let found = vm_next_step(&facts, Some(view));
        assert_eq!(found, expected, "{facts:?} {view:?}");
    }

    const KEPT: [VmGoal; 3] = [VmGoal::Running, VmGoal::Paused, VmGoal::Stopped];
    const THERE: [VmSeenState; 7] = [
        VmSeenState::Preparing,
        VmSeenState::Starting,
        VmSeenState::Running,
        VmSeenState::Paused,
        VmSeenState::Stopping,
        VmSeenState::Stopped,
        VmSeenState::Failed,
    ];

    #[test]
    fn without_a_seat_it_is_placed_unless_it_waits() {
        let unseated = |goal| VmFacts {
            seat: None,
            ..seated(goal, None)
        };
        for goal in KEPT {
            assert_eq!(vm_next_step(&unseated(goal), None), VmStep::Place);
            let trashed = VmFacts {
                trashed_at: Some(Timestamp::from_ms(1)),
                ..unseated(goal)
            };
            assert_eq!(vm_next_step(&trashed, None), VmStep::Nothing);
            let lost = VmFacts {
                is_disk_lost: true,
                ..unseated(goal)
            };
            assert_eq!(vm_next_step(&lost, None), VmStep::Nothing);
            let fresh = VmFacts {
                disk_on_loss: DiskOnLoss::Fresh,
                ..lost
            };
            assert_eq!(vm_next_step(&fresh, None), VmStep::Place);
        }
        assert_eq!(vm_next_step(&unseated(VmGoal::Gone), None), VmStep::Erase);
    }

    #[test]
    fn it_is_ordered_until_the_node_speaks_of_this_generation() {
        for goal in KEPT {
            check(seated(goal, None), FINE, VmStep::Ensure(node()));
            let mut stale = seated(goal, None);
            stale.seen = Some(VmSeen {
                generation: Generation::new(2),
                state: VmSeenState::Running,
            });
            check(stale, FINE, VmStep::Ensure(node()));
            for state in THERE {
                check(seated(goal, Some(state)), FINE, VmStep::Nothing);
            }
            let fenced = seated(goal, Some(VmSeenState::Fenced));
            check(fenced, FINE, VmStep::Ensure(node()));
        }
    }

    #[test]
    fn a_stopped_vm_keeps_its_seat_and_only_absence_takes_it() {
        let stopped = seated(VmGoal::Stopped, Some(VmSeenState::Stopped));
        for view in [FINE, SILENT, LOST] {
            check(stopped, view, VmStep::Nothing);
        }
        for goal in [VmGoal::Stopped, VmGoal::Running, VmGoal::Gone] {
            let absent = seated(goal, Some(VmSeenState::Absent));
            check(absent, FINE, VmStep::Unseat(node()));
        }
        for state in THERE {
            check(
                seated(VmGoal::Gone, Some(state)),
                FINE,
                VmStep::Ensure(node()),
            );
        }
    }

    #[test]
    fn only_who_may_begin_anew_leaves_a_lost_node() {
        let running = seated(VmGoal::Running, Some(VmSeenState::Running));
        let leased = VmFacts {
            on_node_loss: OnNodeLoss::Restart,
            ..running
        };
        let anew = VmFacts {
            disk_on_loss: DiskOnLoss::Fresh,
            ..leased
        };
        check(running, LOST, VmStep::Nothing);
        check(leased, LOST, VmStep::Nothing);
        check(anew, LOST, VmStep::Unseat(node()));
        check(anew, SILENT, VmStep::Nothing);
        let unbound = VmFacts {
            on_node_loss: OnNodeLoss::Wait,
            ..anew
        };
        check(unbound, LOST, VmStep::Nothing);
    }

    #[test]
    fn what_is_being_deleted_leaves_a_lost_node_only_when_the_lease_bound_it() {
        let gone = seated(VmGoal::Gone, None);
        check(gone, LOST, VmStep::Nothing);
        let leased = VmFacts {
            on_node_loss: OnNodeLoss::Restart,
            ..gone
        };
        check(leased, LOST, VmStep::Unseat(node()));
        assert_eq!(vm_next_step(&gone, None), VmStep::Unseat(node()));
    }

    #[test]
    fn a_row_from_an_older_database_overtakes_its_node() {
        let mut facts = seated(VmGoal::Running, None);
        facts.seen = Some(VmSeen {
            generation: Generation::new(9),
            state: VmSeenState::Absent,
        });
        check(facts, FINE, VmStep::Raise(Generation::new(10)));
    }
}
