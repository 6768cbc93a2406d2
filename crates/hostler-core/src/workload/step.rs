//! The one next step of the control plane for a workload. A pass asks this
//! for every workload and carries out the answer; it decides nothing itself.
//!
//! A step that changes the row is asked for again in the transaction that
//! carries it out, with the rows of workload and node locked and the time read
//! then, and dropped if the answer differs: between the pass's look and its
//! deed a heartbeat may have renewed the lease. An order needs no second look:
//! it names the heartbeat it was decided on, and the node judges its age. That
//! heartbeat is read with the workload's row or before it, never after.

use super::{Goal, NodeGoal, OnNodeLoss, SeenState, WorkloadFacts};
use crate::id::NodeId;
use crate::node::{Availability, NodeFacts, Scheduling, Timing, availability};
use crate::{Generation, Timestamp};

/// What a pass should do about a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// All is as wanted, or only time will tell.
    Nothing,
    /// Find it a seat.
    Place,
    /// Tell the seat's node what is wanted, at the present generation.
    Ensure(NodeId, NodeGoal),
    /// Take the seat away and give its capacity back; raises the generation.
    Unseat(NodeId),
    /// Forget it, leaving a tombstone of its generation.
    Erase,
    /// Raise its generation to this one: its node was told a higher one than
    /// the row has, so the row comes from an older copy of the database.
    Raise(Generation),
}

/// What is known of the node a workload is seated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatView {
    /// Whether it can be reached: heard in time.
    pub reachable: bool,
    /// Whether its lease has run out ([`crate::node::NodeFacts::is_lost`]).
    pub lost: bool,
    /// Whether its operator wants its work moved away.
    pub draining: bool,
}

impl SeatView {
    /// The view of a node at `now`.
    pub fn of(node: &NodeFacts, now: Timestamp, timing: &Timing) -> Self {
        let heard = availability(node.last_heard, now, timing);
        Self {
            reachable: matches!(heard, Availability::Online | Availability::Suspect),
            lost: node.is_lost(now, timing),
            draining: node.scheduling == Scheduling::Draining,
        }
    }
}

/// The next step; `seat` is `None` also when the seat's node was unregistered.
pub fn next_step(facts: &WorkloadFacts, seat: Option<SeatView>) -> Step {
    let Some(node) = facts.seat else {
        return unseated(facts.goal);
    };
    let Some(view) = seat else {
        return Step::Unseat(node);
    };
    let moves = facts.on_node_loss == OnNodeLoss::Restart;
    if view.lost && moves {
        return lost(facts, node);
    }
    if !view.reachable {
        return Step::Nothing;
    }
    if let Some(seen) = facts.seen.filter(|seen| seen.generation > facts.generation) {
        return Step::Raise(seen.generation.next());
    }
    match facts.goal {
        Goal::Running if view.draining && moves => drained(facts, node),
        Goal::Running => kept(facts, node),
        Goal::Stopped | Goal::Gone => cleared(facts, node),
    }
}

fn unseated(goal: Goal) -> Step {
    match goal {
        Goal::Running => Step::Place,
        Goal::Stopped => Step::Nothing,
        Goal::Gone => Step::Erase,
    }
}

impl WorkloadFacts {
    /// Whether a drain takes it off its node; what waits for its node stays,
    /// and so does what has ended and will not be started again.
    pub fn leaves_when_drained(&self) -> bool {
        let ended = self.seen_now() == Some(SeenState::Ended);
        let moves = self.on_node_loss == OnNodeLoss::Restart;
        self.goal != Goal::Running || (moves && !ended)
    }
}

/// What ended with success is not started again, so it stays where it ended.
fn lost(facts: &WorkloadFacts, node: NodeId) -> Step {
    match (facts.goal, facts.seen_now()) {
        (Goal::Running, Some(SeenState::Ended)) => Step::Nothing,
        _ => Step::Unseat(node),
    }
}

/// A node that says *absent* holds a tombstone of this generation (a drain was
/// called off, or a failed start cleaned up): only a new seat revives it.
fn kept(facts: &WorkloadFacts, node: NodeId) -> Step {
    match facts.seen_now() {
        None | Some(SeenState::Fenced) => Step::Ensure(node, NodeGoal::Running),
        Some(SeenState::Absent) => Step::Unseat(node),
        Some(_) => Step::Nothing,
    }
}

/// Off the node first, by its own word; only then off the books.
fn cleared(facts: &WorkloadFacts, node: NodeId) -> Step {
    match facts.seen_now() {
        Some(SeenState::Absent) => Step::Unseat(node),
        _ => Step::Ensure(node, NodeGoal::Gone),
    }
}

/// A drained workload is cleared from its node like an unwanted one; without
/// a seat and still wanted, it is placed again by the next pass.
fn drained(facts: &WorkloadFacts, node: NodeId) -> Step {
    match facts.seen_now() {
        Some(SeenState::Ended) => Step::Nothing,
        _ => cleared(facts, node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WorkloadId;
    use crate::workload::Seen;

    const FINE: SeatView = SeatView {
        reachable: true,
        lost: false,
        draining: false,
    };
    const SILENT: SeatView = SeatView {
        reachable: false,
        lost: false,
        draining: false,
    };
    const LOST: SeatView = SeatView {
        reachable: false,
        lost: true,
        draining: false,
    };
    const DRAINING: SeatView = SeatView {
        reachable: true,
        lost: false,
        draining: true,
    };

    fn node() -> NodeId {
        NodeId::from_parts(1, [1; 10])
    }

    fn seated(goal: Goal, seen: Option<SeenState>) -> WorkloadFacts {
        let generation = Generation::new(3);
        WorkloadFacts {
            id: WorkloadId::from_parts(1, [2; 10]),
            goal,
            generation,
            seat: Some(node()),
            seen: seen.map(|state| Seen { generation, state }),
            on_node_loss: OnNodeLoss::Restart,
        }
    }

    #[track_caller]
    fn check(facts: WorkloadFacts, view: SeatView, expected: Step) {
        assert_eq!(
            next_step(&facts, Some(view)),
            expected,
            "{facts:?} {view:?}"
        );
    }

    #[test]
    fn without_a_seat_the_goal_alone_decides() {
        let unseated = |goal| WorkloadFacts {
            seat: None,
            ..seated(goal, None)
        };
        assert_eq!(next_step(&unseated(Goal::Running), None), Step::Place);
        assert_eq!(next_step(&unseated(Goal::Stopped), None), Step::Nothing);
        assert_eq!(next_step(&unseated(Goal::Gone), None), Step::Erase);
    }

    #[test]
    fn a_wanted_workload_is_ordered_until_the_node_speaks_of_this_generation() {
        let order = Step::Ensure(node(), NodeGoal::Running);
        check(seated(Goal::Running, None), FINE, order);
        let mut stale = seated(Goal::Running, None);
        stale.seen = Some(Seen {
            generation: Generation::new(2),
            state: SeenState::Running,
        });
        check(stale, FINE, order);
        for state in [SeenState::Starting, SeenState::Running, SeenState::Failed] {
            check(seated(Goal::Running, Some(state)), FINE, Step::Nothing);
        }
        check(
            seated(Goal::Running, Some(SeenState::Absent)),
            FINE,
            Step::Unseat(node()),
        );
    }

    #[test]
    fn a_seat_is_given_back_only_after_the_node_says_absent() {
        for goal in [Goal::Stopped, Goal::Gone] {
            for state in [SeenState::Running, SeenState::Stopping, SeenState::Failed] {
                let order = Step::Ensure(node(), NodeGoal::Gone);
                check(seated(goal, Some(state)), FINE, order);
            }
            check(
                seated(goal, Some(SeenState::Absent)),
                FINE,
                Step::Unseat(node()),
            );
        }
    }

    #[test]
    fn a_silent_node_is_waited_for_until_its_lease_ends() {
        let running = seated(Goal::Running, Some(SeenState::Running));
        check(running, SILENT, Step::Nothing);
        check(running, LOST, Step::Unseat(node()));
        let waits = WorkloadFacts {
            on_node_loss: OnNodeLoss::Wait,
            ..running
        };
        check(waits, LOST, Step::Nothing);
    }

    #[test]
    fn what_ended_with_success_on_a_lost_node_is_not_run_again() {
        let ended = Some(SeenState::Ended);
        check(seated(Goal::Running, ended), LOST, Step::Nothing);
        check(seated(Goal::Gone, ended), LOST, Step::Unseat(node()));
        check(seated(Goal::Stopped, ended), LOST, Step::Unseat(node()));
    }

    #[test]
    fn what_was_fenced_is_ordered_again() {
        let fenced = seated(Goal::Running, Some(SeenState::Fenced));
        check(fenced, FINE, Step::Ensure(node(), NodeGoal::Running));
        check(fenced, DRAINING, Step::Ensure(node(), NodeGoal::Gone));
    }

    #[test]
    fn a_row_from_an_older_database_overtakes_its_node() {
        let mut facts = seated(Goal::Running, None);
        facts.seen = Some(Seen {
            generation: Generation::new(9),
            state: SeenState::Absent,
        });
        check(facts, FINE, Step::Raise(Generation::new(10)));
        check(facts, LOST, Step::Unseat(node()));
    }

    #[test]
    fn draining_clears_the_node_by_its_own_word() {
        let running = seated(Goal::Running, Some(SeenState::Running));
        check(running, DRAINING, Step::Ensure(node(), NodeGoal::Gone));
        let absent = seated(Goal::Running, Some(SeenState::Absent));
        check(absent, DRAINING, Step::Unseat(node()));
        check(
            seated(Goal::Running, Some(SeenState::Ended)),
            DRAINING,
            Step::Nothing,
        );
    }

    #[test]
    fn what_a_drain_leaves_in_place_is_not_counted_as_leaving() {
        let running = seated(Goal::Running, Some(SeenState::Running));
        assert!(running.leaves_when_drained());
        assert!(!seated(Goal::Running, Some(SeenState::Ended)).leaves_when_drained());
        let waits = WorkloadFacts {
            on_node_loss: OnNodeLoss::Wait,
            ..running
        };
        assert!(!waits.leaves_when_drained());
        let stopped = WorkloadFacts {
            goal: Goal::Stopped,
            ..waits
        };
        assert!(stopped.leaves_when_drained());
    }

    #[test]
    fn an_unregistered_node_frees_its_seats() {
        let running = seated(Goal::Running, Some(SeenState::Running));
        assert_eq!(next_step(&running, None), Step::Unseat(node()));
    }
}
