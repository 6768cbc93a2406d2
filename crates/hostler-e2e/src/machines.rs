//! The machines of a fleet that grows, by what is really there: folders and
//! processes. What daemons believe does not matter.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hostler_daemon::process::{ProcessId, Signal};

use crate::fleet::Fleet;
use crate::processes;

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machine {
    /// Its folder.
    pub folder: PathBuf,
}

/// Those that are there.
pub fn machines(fleet: &Fleet) -> Vec<Machine> {
    below(&folder(fleet))
}

fn folder(fleet: &Fleet) -> PathBuf {
    fleet.data().join("control").join("machines")
}

fn below(folder: &Path) -> Vec<Machine> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut found: Vec<_> = paths
        .filter(|path| path.join("order.json").exists())
        .map(|folder| Machine { folder })
        .collect();
    found.sort();
    found
}

impl Machine {
    /// The id of its runner.
    pub fn id(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Whether it has joined the fleet.
    pub fn has_joined(&self) -> bool {
        let data = self.folder.join("data");
        data.join(hostler_node::REGISTRATION_FILE).exists()
    }

    /// Whether its process has started.
    pub fn process(&self) -> Option<ProcessId> {
        ProcessId::read(&self.folder.join("process"))
    }

    /// The control groups of its slots.
    pub fn groups(&self) -> Vec<PathBuf> {
        let slots = fs::read_dir(self.folder.join("data").join("slots"));
        let slots = slots.into_iter().flatten().flatten();
        let texts = slots.filter_map(|slot| fs::read(slot.path().join("machine.json")).ok());
        let record = |text: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&text).ok();
        let groups = texts.filter_map(|text| record(text)?["groups"].as_array().cloned());
        let paths = groups.flatten();
        paths
            .filter_map(|path| path.as_str().map(PathBuf::from))
            .collect()
    }

    /// Pulls its plug: everything of it is killed at once.
    pub fn kill(&self) {
        loop {
            let all = processes::below(&self.folder);
            if all.is_empty() {
                return;
            }
            for found in all {
                found.id.signal(Signal::KILL);
            }
        }
    }
}

/// Looks all the time at how many machines there are, and how many of them
/// have not joined; until it is dropped.
pub struct Bounds {
    most: Arc<AtomicUsize>,
    most_booting: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Bounds {
    /// Begins to look.
    pub fn watch(fleet: &Fleet) -> Self {
        let bounds = Self {
            most: Arc::default(),
            most_booting: Arc::default(),
            is_over: Arc::default(),
        };
        let (most, booting) = (Arc::clone(&bounds.most), Arc::clone(&bounds.most_booting));
        let (is_over, folder) = (Arc::clone(&bounds.is_over), folder(fleet));
        std::thread::spawn(move || {
            // While a machine's folder is removed, it looks as at its beginning.
            let mut joined = BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                let all = below(&folder);
                joined.extend(all.iter().filter(|one| one.has_joined()).cloned());
                let flying = all.iter().filter(|one| !joined.contains(*one)).count();
                most.fetch_max(all.len(), Ordering::Relaxed);
                booting.fetch_max(flying, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        bounds
    }

    /// The most that were there at a time, and the most of those that had not
    /// joined.
    pub fn seen(&self) -> (usize, usize) {
        let read = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (read(&self.most), read(&self.most_booting))
    }
}

impl Drop for Bounds {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
