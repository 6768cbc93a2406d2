//! What a dead node has left on this machine goes: agents, what they run, and
//! control groups. For whoever started the node as a machine of its own, and
//! saw that machine die. Never called while the node lives: it would take its
//! work from under it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::record::MachineRecord;
use super::{Process, groups, slot_folder};

/// How long one slot may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends all slots of the node whose data this is, and removes their groups and
/// folders. May be repeated; on a folder that holds no slots it does nothing.
pub fn clear(data: &Path) -> io::Result<()> {
    let slots = data.join("slots");
    if !slots.is_dir() {
        return Ok(());
    }
    let driver = Process::new(slots.clone(), PathBuf::new(), PATIENCE);
    let driver = driver.map_err(io::Error::other)?;
    for found in driver.state.list()? {
        let recorded = MachineRecord::read(&slot_folder(&slots, found.slot));
        driver.state.kill(found.slot).map_err(io::Error::other)?;
        driver.state.forget(found.slot)?;
        for folder in recorded.into_iter().flat_map(|record| record.groups) {
            groups::remove_base(&folder);
        }
    }
    driver.remove();
    fs::remove_dir_all(&slots)
}
