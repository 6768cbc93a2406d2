//! Where all tables are, and who is told when one of them changes.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use hostler_core::Timestamp;
use hostler_runners::clock::Clock;
use tokio::sync::watch;

use super::rows::{Event, Node, Placeholder, Program};
use super::table::Table;

/// All that is known of the cluster.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) placeholders: Table<Placeholder>,
    pub(crate) programs: Table<Program>,
    pub(crate) nodes: Table<Node>,
    pub(crate) events: Table<Event>,
    /// Rights that were found missing and can be done without.
    pub(crate) lacks: BTreeSet<&'static str>,
}

/// The world, and a count of its changes.
pub(crate) struct Hub {
    world: Mutex<World>,
    changes: watch::Sender<u64>,
    clock: Clock,
}

impl Hub {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            world: Mutex::default(),
            changes: watch::Sender::new(0),
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Wakes on every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World, Timestamp)) {
        let now = self.now();
        change(
            &mut self.world.lock().unwrap_or_else(PoisonError::into_inner),
            now,
        );
        self.changes.send_modify(|count| *count += 1);
    }

    /// The same, if there is anything to change.
    pub(crate) fn change_if(&self, change: impl FnOnce(&mut World) -> bool) {
        if change(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner)) {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// A right was found to be missing, or there after all.
    pub(crate) fn lacks(&self, right: &'static str, is_missing: bool) {
        self.change_if(|world| {
            let is_new = if is_missing {
                world.lacks.insert(right)
            } else {
                world.lacks.remove(right)
            };
            if is_new && is_missing {
                tracing::warn!("this manager may not: {right}");
            }
            is_new
        });
    }
}
