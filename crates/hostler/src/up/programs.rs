//! Finding the programs that we start.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// The nats-server program: as given, or found in `$PATH` and the places where
/// distributions put daemons.
pub(crate) fn nats_server(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = given {
        return existing(path);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let daemons = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&folders)
        .chain(daemons)
        .map(|folder| folder.join("nats-server"))
        .find(|path| path.is_file());
    found.context("nats-server is missing; on Debian: apt-get install nats-server")
}

/// The agent program: as given, or beside this one.
pub(crate) fn agent(given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(path) => existing(path),
        None => existing(&std::env::current_exe()?.with_file_name("hostler-agent")),
    }
}

fn existing(path: &Path) -> Result<PathBuf> {
    if !path.is_file() {
        bail!("{} is missing", path.display());
    }
    Ok(std::path::absolute(path)?)
}
