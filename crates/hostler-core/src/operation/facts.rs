//! What is written down of an operation, and who may work on it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::OperationState;
use crate::Timestamp;
use crate::node::Scheduling;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OperationKind {
    /// Moves all work away from a node and closes it.
    #[serde(rename = "node.drain")]
    NodeDrain,
    /// Drains a node, then unregisters it.
    #[serde(rename = "node.remove")]
    NodeRemove,
}

/// A word that is no kind of operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a kind of operation")]
pub struct OperationKindError(pub String);

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::NodeDrain, Self::NodeRemove];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NodeDrain => "node.drain",
            Self::NodeRemove => "node.remove",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OperationKind {
    type Err = OperationKindError;

    fn from_str(word: &str) -> Result<Self, OperationKindError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| OperationKindError(word.to_owned()))
    }
}

/// What is written down of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationFacts<'a> {
    /// What it does.
    pub kind: OperationKind,
    /// The words of the actions done so far, in order.
    pub steps_done: &'a [String],
    /// Whether somebody asked to call it off.
    pub cancel_asked: bool,
    /// When it is given up.
    pub deadline: Timestamp,
}

impl OperationFacts<'_> {
    /// Whether the action with this word is done.
    pub(super) fn did(&self, word: &str) -> bool {
        self.steps_done.iter().any(|done| done == word)
    }
}

/// What is true of the node an operation is about, at the moment of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeWorld {
    /// Its scheduling; `None` when it is not registered.
    pub scheduling: Option<Scheduling>,
    /// Workloads seated there that a drain moves.
    pub movable: u32,
    /// Workloads seated there that stay: those that wait for their node, and
    /// those that have ended.
    pub staying: u32,
}

/// A claim to work on something, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkLease<W> {
    /// Who holds it.
    pub holder: W,
    /// Until when.
    pub until: Timestamp,
}

/// Whether `me` may work (or take the claim over) at `now`. A free or ended
/// lease is anybody's; the number of the claim decides between two who take it
/// at once, and is read again in every transaction made under it.
pub fn may_work<W: PartialEq>(lease: Option<&WorkLease<W>>, me: &W, now: Timestamp) -> bool {
    lease.is_none_or(|lease| lease.holder == *me || now >= lease.until)
}

/// Where an operation stands: as it ended, or else by its lease.
pub fn state<W>(
    ended: Option<OperationState>,
    lease: Option<&WorkLease<W>>,
    now: Timestamp,
) -> OperationState {
    let held = lease.is_some_and(|lease| now < lease.until);
    ended.unwrap_or(if held {
        OperationState::Running
    } else {
        OperationState::Waiting
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_its_holders_until_it_ends_and_then_anybodys() {
        let lease = Some(&WorkLease {
            holder: "a",
            until: Timestamp::from_ms(10),
        });
        let check = |lease, me, now, expected| {
            assert_eq!(may_work(lease, &me, Timestamp::from_ms(now)), expected);
        };
        check(lease, "a", 9, true);
        check(lease, "b", 9, false);
        check(lease, "b", 10, true);
        check(lease, "a", 10, true);
        check(None, "b", 0, true);
    }

    #[test]
    fn the_state_is_how_it_ended_or_whether_somebody_works() {
        let lease = WorkLease {
            holder: "a",
            until: Timestamp::from_ms(10),
        };
        let at = |ended, now| state(ended, Some(&lease), Timestamp::from_ms(now));
        assert_eq!(at(None, 9), OperationState::Running);
        assert_eq!(at(None, 10), OperationState::Waiting);
        assert_eq!(at(Some(OperationState::Stuck), 9), OperationState::Stuck);
        let free = state::<&str>(None, None, Timestamp::from_ms(0));
        assert_eq!(free, OperationState::Waiting);
    }

    #[test]
    fn a_kind_reads_back_its_own_word() {
        for kind in OperationKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
        }
        assert!("node.reboot".parse::<OperationKind>().is_err());
    }
}
