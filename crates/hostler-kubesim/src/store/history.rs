//! The changes of one resource, oldest first, as far back as they are kept.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Key, Object};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Added,
    Modified,
    Deleted,
}

#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) what: What,
    pub(crate) object: Arc<Object>,
    pub(crate) before: Option<Arc<Object>>,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    changes: VecDeque<Change>,
    /// The newest change that had to make room.
    dropped: u64,
}

/// How many changes of a resource are kept.
const KEPT: usize = 200_000;

impl History {
    pub(crate) fn add(&mut self, change: Change) {
        if self.changes.len() == KEPT
            && let Some(oldest) = self.changes.pop_front()
        {
            self.dropped = oldest.version;
        }
        self.changes.push_back(change);
    }

    pub(crate) fn clear(&mut self) {
        self.changes.clear();
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Changes after a version.
    pub(crate) fn after(&self, version: u64) -> impl Iterator<Item = &Change> {
        let first = self.changes.partition_point(|one| one.version <= version);
        self.changes.range(first..)
    }

    /// What has to be put over the present objects to see those of a version.
    pub(crate) fn undone(&self, version: u64) -> BTreeMap<Key, Option<Arc<Object>>> {
        let mut over = BTreeMap::new();
        for change in self.after(version) {
            over.entry(change.object.key())
                .or_insert_with(|| change.before.clone());
        }
        over
    }
}
