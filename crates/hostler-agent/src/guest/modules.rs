//! The kernel's modules: what the first file system holds, in the order in
//! which it names them, each after those that it needs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::system::finit_module;

use super::GuestError;

/// Where they are, with their names, one on each line, in a file `order`.
const FOLDER: &str = "/modules";

/// Loads them all. One that is there already is well.
pub(super) fn load_all() -> Result<(), GuestError> {
    let order = Path::new(FOLDER).join("order");
    let names = fs::read_to_string(&order).map_err(|source| GuestError::File {
        path: order,
        source,
    })?;
    for path in paths(&names) {
        load(&path).map_err(|source| GuestError::Module { path, source })?;
    }
    Ok(())
}

fn paths(names: &str) -> impl Iterator<Item = PathBuf> {
    let names = names.lines().map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| Path::new(FOLDER).join(name))
}

fn load(path: &Path) -> io::Result<()> {
    match finit_module(File::open(path)?, c"", 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
