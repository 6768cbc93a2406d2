//! Whether a node may leave the fleet's books.
//!
//! Unregistering gives every seat on the node back at once, without its word.
//! That is safe only when there is none: each was given back by the node's own
//! word, or after its lease had ended.

use super::NodeFacts;

/// Workloads are seated on a node that should be unregistered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("workloads still seated on this node: {0}; drain it first, or say that its machine is off")]
pub struct StillSeated(pub u32);

impl NodeFacts {
    /// Whether the node may be unregistered; to be asked in the transaction
    /// that does it. `off` is a person's word that the machine is off and will
    /// not come back, on which its work is placed again at once.
    pub fn may_leave(&self, off: bool) -> Result<(), StillSeated> {
        if self.seated == 0 || off {
            Ok(())
        } else {
            Err(StillSeated(self.seated))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::{Labels, Resources, Timestamp};

    #[test]
    fn a_node_with_seats_leaves_only_on_the_word_that_its_machine_is_off() {
        let node = |seated| NodeFacts {
            id: NodeId::from_parts(1, [1; 10]),
            capacity: Resources::of(1_000, 1_024),
            reserved: Resources::default(),
            slots: 4,
            seated,
            labels: Labels::new(),
            scheduling: crate::node::Scheduling::Closed,
            last_heard: None,
            lease_until: Timestamp::NEVER,
        };
        assert_eq!(node(0).may_leave(false), Ok(()));
        assert_eq!(node(2).may_leave(false), Err(StillSeated(2)));
        assert_eq!(node(2).may_leave(true), Ok(()));
    }
}
