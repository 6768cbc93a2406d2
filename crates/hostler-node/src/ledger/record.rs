//! What the ledger remembers, and how records fold into it.
//!
//! A record always carries the whole of what it speaks of, so that reading a
//! record twice, or after a newer compaction, changes nothing.

use std::collections::{BTreeMap, VecDeque};

use hostler_core::id::{SlotId, WorkloadId};
use hostler_core::workload::{Held, Kind, NodeGoal, OnNodeLoss};
use hostler_core::{Generation, Resources};
use hostler_wire::nats::Claims;
use serde::{Deserialize, Serialize};

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(crate) enum Record {
    /// Everything known of one piece of work, replacing what was known.
    Work(Box<Work>),
    /// A piece of work nobody needs to remember.
    Forget {
        /// Which.
        id: WorkloadId,
    },
    /// Whether new work is refused for good (protocol, 7.1).
    LameDuck {
        /// Entered, or left by an orderly stop without work.
        entered: bool,
    },
    /// A deploy token that was used; it is refused from now on.
    DeployUsed {
        /// [`crate::control::token_mark`] of it.
        mark: String,
    },
}

/// A piece of work this node must remember.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Its id: the control plane's, or made here for a deploy over NATS.
    pub id: WorkloadId,
    /// The highest generation it was ordered with.
    pub generation: Generation,
    /// What was ordered then; `Gone` is a tombstone.
    pub goal: NodeGoal,
    /// Who ordered it.
    pub origin: Origin,
    /// How to run it; absent in a tombstone of something never held.
    pub plan: Option<Plan>,
    /// The slot it was given. Written before anything is sent to that slot,
    /// and taken out only after the slot is confirmed gone.
    pub slot: Option<SlotId>,
    /// How often it was started again in a row.
    #[serde(default)]
    pub restarts: u32,
    /// How it ended for good.
    #[serde(default)]
    pub fate: Option<Fate>,
    /// Whether it was stopped, or not started, because the lease had ended;
    /// it waits for a fresh order.
    #[serde(default)]
    pub fenced: bool,
}

impl Work {
    /// What an order is held against.
    pub fn held(&self) -> Held {
        Held {
            generation: self.generation,
            goal: self.goal,
            fenced: self.fenced,
        }
    }

    /// Whether the lease granted by the control plane bounds it.
    pub fn leased(&self) -> bool {
        let restarts = |plan: &Plan| plan.on_node_loss == OnNodeLoss::Restart;
        self.origin == Origin::Fleet && self.plan.as_ref().is_none_or(restarts)
    }

    /// Whether it should be in a slot now.
    pub fn wanted(&self) -> bool {
        let goes_on = self.fate.is_none() && !self.fenced;
        self.goal == NodeGoal::Running && goes_on && self.plan.is_some()
    }
}

/// Who ordered a piece of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
pub enum Origin {
    /// The control plane.
    Fleet,
    /// Somebody over NATS, known by the claims of the deploy token.
    Local {
        /// The claims; only their issuer may stop the work.
        claims: Claims,
    },
}

/// How to run a piece of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What kind of artifact it is.
    pub kind: Kind,
    /// Its artifact.
    pub artifact: ArtifactRef,
    /// Arguments after the program's name.
    pub argv: Vec<String>,
    /// Its environment, sealed with the node's own curve key.
    pub environment: String,
    /// Subjects that trigger it.
    pub triggers: Vec<String>,
    /// Whether it is started again when it fails.
    pub essential: bool,
    /// What it may use.
    pub resources: Resources,
    /// How many processes it may have.
    pub pids: u32,
    /// Whether the node's lease binds it.
    pub on_node_loss: OnNodeLoss,
    /// Text for people.
    pub description: String,
}

/// An artifact, and where it can be had again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ArtifactRef {
    /// SHA-256 in lower-case hex.
    pub digest: String,
    /// Size in bytes.
    pub size: u64,
    /// Where it comes from.
    pub source: ArtifactSource,
}

/// Where an artifact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum ArtifactSource {
    /// The control plane, by digest.
    ControlPlane,
    /// An object store on the control NATS.
    ObjectStore(ObjectRef),
}

/// An object in a `JetStream` object store (protocol, 2.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The store's name.
    pub bucket: String,
    /// The object's name.
    pub key: String,
    /// `JetStream` domain, or an API prefix if it has a dot; empty for none.
    pub domain: String,
}

/// How a piece of work ended for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// By itself, with success.
    Ended,
    /// Given up.
    Failed {
        /// Why, for people.
        problem: String,
    },
}

/// All records, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    /// Every piece of work, tombstones included.
    pub work: BTreeMap<WorkloadId, Work>,
    /// Whether the node is in lame duck mode.
    pub lame_duck: bool,
    /// Marks of the last used deploy tokens, oldest first.
    pub used: VecDeque<String>,
}

impl Book {
    /// How many used deploy tokens are remembered.
    pub(crate) const USED_MAX: usize = 4_096;

    /// Adds one record.
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Work(work) => {
                self.work.insert(work.id, *work);
            }
            Record::Forget { id } => {
                self.work.remove(&id);
            }
            Record::LameDuck { entered } => self.lame_duck = entered,
            Record::DeployUsed { mark } => {
                if self.used.len() == Self::USED_MAX {
                    self.used.pop_front();
                }
                self.used.push_back(mark);
            }
        }
    }

    /// The fewest records that fold into this.
    pub(crate) fn records(&self) -> Vec<Record> {
        let work = self.work.values().cloned().map(Box::new).map(Record::Work);
        let used = self.used.iter().cloned();
        let used = used.map(|mark| Record::DeployUsed { mark });
        let duck = self.lame_duck.then_some(Record::LameDuck { entered: true });
        work.chain(used).chain(duck).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::work;

    #[test]
    fn the_fewest_records_fold_into_the_same_book() {
        let mut book = Book::default();
        for number in 1..4 {
            book.apply(Record::Work(Box::new(work(number))));
        }
        book.apply(Record::Forget { id: work(2).id });
        book.apply(Record::LameDuck { entered: true });
        book.apply(Record::DeployUsed { mark: "a".into() });
        let mut again = Book::default();
        for record in book.records() {
            again.apply(record);
        }
        assert_eq!(again, book);
        assert_eq!(again.work.len(), 2);
    }

    #[test]
    fn used_deploy_tokens_are_remembered_up_to_a_bound() {
        let mut book = Book::default();
        for number in 0..=Book::USED_MAX {
            book.apply(Record::DeployUsed {
                mark: number.to_string(),
            });
        }
        assert_eq!(book.used.len(), Book::USED_MAX);
        assert_eq!(book.used.front().map(String::as_str), Some("1"));
    }

    #[test]
    fn only_fleet_work_that_may_move_is_bound_by_the_lease() {
        let fleet = work(1);
        assert!(fleet.leased());
        let mut waits = fleet.clone();
        waits.plan.as_mut().unwrap().on_node_loss = OnNodeLoss::Wait;
        assert!(!waits.leased());
        let local = Work {
            origin: Origin::Local {
                claims: Claims::workload("echo", None),
            },
            ..fleet
        };
        assert!(!local.leased());
    }
}
