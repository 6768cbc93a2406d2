//! The libraries that the agent needs, as the machine's own loader says. A static
//! agent needs none.

use std::path::{Path, PathBuf};

use super::RootfsError;
use super::run::output;

/// Their paths, the loader's among them.
pub(super) fn of(program: &Path) -> Result<Vec<PathBuf>, RootfsError> {
    let program = program.to_string_lossy();
    match output(Path::new("/"), "ldd", &[&program]) {
        Ok(said) => paths(&said),
        // In these words, and with a bad status.
        Err(RootfsError::Failed { said, .. }) if said.contains("not a dynamic executable") => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The paths in what `ldd` says: `name => path (address)`, or for the loader
/// `path (address)`. What the kernel itself brings has no path.
fn paths(said: &str) -> Result<Vec<PathBuf>, RootfsError> {
    let mut paths = Vec::new();
    for line in said.lines().map(str::trim) {
        let (name, place) = line.split_once(" => ").unwrap_or(("", line));
        if place.starts_with("not found") {
            return Err(RootfsError::NoLibrary(name.to_owned()));
        }
        let path = place.split(" (").next().unwrap_or_default();
        if path.starts_with('/') {
            paths.push(PathBuf::from(path));
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_s_words_are_read() {
        let said = "\tlinux-vdso.so.1 (0x00007f21)\n\
             \tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f22)\n\
             \t/lib64/ld-linux-x86-64.so.2 (0x00007f23)\n";
        let expected = [
            "/lib/x86_64-linux-gnu/libm.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(paths(said).unwrap(), expected.map(PathBuf::from));
        assert_eq!(
            paths("\tstatically linked\n").unwrap(),
            Vec::<PathBuf>::new()
        );
        let missing = paths("\tlibx.so.1 => not found\n");
        assert!(matches!(missing, Err(RootfsError::NoLibrary(name)) if name == "libx.so.1"));
    }
}
