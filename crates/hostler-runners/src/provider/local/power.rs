//! Switches all machines off, as somebody does who closes the laptop: each is
//! told to end, ended after its grace, and cleared. Their folders and what is
//! in them stay: the next manager over them switches each on again, and it
//! joins as the node it was.
//!
//! Called only while no manager looks after the folder: it would take a
//! machine that is off for one that died.

use std::path::Path;
use std::time::{Duration, Instant};

use super::folder::Folder;
use super::options::Clear;
use super::process;

/// How long what was killed may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// Switches all machines below this folder off; how many there are.
pub async fn power_off(folder: &Path, grace: Duration, clear: &Clear) -> usize {
    let folders = Folder::all(folder);
    let count = folders.len();
    let each = folders
        .into_iter()
        .map(|one| end(one, grace, clear.clone()));
    futures::future::join_all(each).await;
    count
}

async fn end(folder: Folder, grace: Duration, clear: Clear) {
    if let Some(process) = folder.process().filter(|process| process.lives()) {
        process.end(grace).await;
    }
    let until = Instant::now() + GONE;
    while !process::sweep(&clear, &folder) {
        if Instant::now() >= until {
            tracing::error!(path = %folder.0.display(), "a machine could not be switched off");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    folder.forget_process();
}
