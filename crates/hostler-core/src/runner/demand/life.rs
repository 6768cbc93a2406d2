//! Where a machine is in its life, from what its job, its provider and the
//! fleet say of it. The one question that all others rest on, so it is asked in
//! one place: by the control plane and by the simulation.

use super::facts::Life;
use crate::Timestamp;
use crate::node::Scheduling;

/// How far a machine's removal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Removal {
    /// Its work may still be waited for, and it may be called off.
    Begun,
    /// It is being given back; there is no way back.
    Final,
}

/// What the fleet says of a machine's node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeSight {
    /// Since when it is offline, if it is.
    pub silent_since: Option<Timestamp>,
    /// What its operator wishes.
    pub scheduling: Scheduling,
    /// How much work is seated there, or will be by this look.
    pub seated: u32,
    /// Since when nothing is seated there.
    pub idle_since: Timestamp,
}

/// What is said of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sight {
    /// How far its removal is, if there is one.
    pub removal: Option<Removal>,
    /// Whether its status is failed, or its provider refused to make it.
    pub has_failed: bool,
    /// Whether its provider sees all it has and, for longer than its lag, not
    /// this one.
    pub is_missing: bool,
    /// Its node, once it has registered.
    pub node: Option<NodeSight>,
}

/// Where the machine is in its life.
pub fn life(sight: &Sight) -> Life {
    match (sight.removal, sight.node) {
        (Some(Removal::Final), _) | (Some(Removal::Begun), None) => Life::Leaving,
        (Some(Removal::Begun), Some(node)) => Life::Draining {
            empty: node.seated == 0,
        },
        (None, _) if sight.is_missing => Life::Failed,
        (None, Some(node)) => node_life(&node),
        (None, None) if sight.has_failed => Life::Failed,
        (None, None) => Life::Booting,
    }
}

/// A node that works is one, whatever its provider says of its program.
fn node_life(node: &NodeSight) -> Life {
    match (node.silent_since, node.scheduling) {
        (Some(since), _) => Life::Silent(since),
        (None, Scheduling::Closed | Scheduling::Draining) => Life::Held,
        (None, Scheduling::Open) if node.seated > 0 => Life::Busy,
        (None, Scheduling::Open) => Life::Idle(node.idle_since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_ms(7);

    fn node(seated: u32) -> NodeSight {
        NodeSight {
            silent_since: None,
            scheduling: Scheduling::Open,
            seated,
            idle_since: SINCE,
        }
    }

    #[track_caller]
    fn check(removal: Option<Removal>, node: Option<NodeSight>, expected: [Life; 3]) {
        let lives =
            [(false, false), (true, false), (false, true)].map(|(has_failed, is_missing)| {
                life(&Sight {
                    removal,
                    has_failed,
                    is_missing,
                    node,
                })
            });
        assert_eq!(lives, expected, "{removal:?} {node:?}");
    }

    #[test]
    fn a_machine_is_where_its_job_its_provider_and_the_fleet_say() {
        use Life::{Booting, Busy, Draining, Failed, Held, Idle, Leaving, Silent};
        check(None, None, [Booting, Failed, Failed]);
        check(None, Some(node(0)), [Idle(SINCE), Idle(SINCE), Failed]);
        check(None, Some(node(2)), [Busy, Busy, Failed]);
        let closed = NodeSight {
            scheduling: Scheduling::Closed,
            ..node(0)
        };
        check(None, Some(closed), [Held, Held, Failed]);
        let silent = NodeSight {
            silent_since: Some(SINCE),
            ..closed
        };
        check(None, Some(silent), [Silent(SINCE), Silent(SINCE), Failed]);
        check(
            Some(Removal::Begun),
            Some(node(0)),
            [Draining { empty: true }; 3],
        );
        check(
            Some(Removal::Begun),
            Some(node(1)),
            [Draining { empty: false }; 3],
        );
        check(Some(Removal::Begun), None, [Leaving; 3]);
        check(Some(Removal::Final), Some(node(1)), [Leaving; 3]);
    }
}
