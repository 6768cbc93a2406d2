//! What the control plane makes of an entry in a node's ledger.

use super::WorkloadFacts;
use crate::Generation;
use crate::id::NodeId;

/// Whose an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Seated there: what the node says of it is what is seen.
    Seated,
    /// Moved away or deleted: the node should drop it, by an order of this
    /// generation.
    Retire(Generation),
    /// Never heard of: shown to people, touched by nobody.
    Unclaimed,
}

/// The claim on an entry that `node` reports at `reported`, given the row of
/// that workload, or else the tombstone its deletion left.
pub fn claim(
    node: NodeId,
    reported: Generation,
    row: Option<&WorkloadFacts>,
    tombstone: Option<Generation>,
) -> Claim {
    match (row, tombstone) {
        (Some(row), _) if row.seat == Some(node) => Claim::Seated,
        (Some(row), _) => Claim::Retire(row.generation.max(reported)),
        (None, Some(buried)) => Claim::Retire(buried.max(reported)),
        (None, None) => Claim::Unclaimed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WorkloadId;
    use crate::workload::{Goal, OnNodeLoss};

    #[test]
    fn only_what_was_never_known_is_left_alone() {
        let here = NodeId::from_parts(1, [1; 10]);
        let there = NodeId::from_parts(1, [2; 10]);
        let row = WorkloadFacts {
            id: WorkloadId::from_parts(1, [3; 10]),
            goal: Goal::Running,
            generation: Generation::new(5),
            seat: Some(there),
            seen: None,
            on_node_loss: OnNodeLoss::Restart,
        };
        let reported = Generation::new(3);
        let buried = Some(Generation::new(4));
        assert_eq!(claim(there, reported, Some(&row), None), Claim::Seated);
        assert_eq!(
            claim(here, reported, Some(&row), None),
            Claim::Retire(Generation::new(5))
        );
        assert_eq!(
            claim(here, reported, None, buried),
            Claim::Retire(Generation::new(4))
        );
        assert_eq!(claim(here, reported, None, None), Claim::Unclaimed);
    }
}
