//! The kernel: the distribution's package for machines of a cloud, downloaded
//! and unpacked, not installed.

use std::fs;
use std::path::{Path, PathBuf};

use super::run::output;
use super::{KernelFiles, RootfsError};

/// The package that always depends on the newest one.
const PACKAGE: &str = "linux-image-cloud-amd64";

/// Fetches the kernel's package into this folder and unpacks it there.
pub(super) fn fetch(folder: &Path) -> Result<KernelFiles, RootfsError> {
    let said = output(folder, "apt-cache", &["depends", PACKAGE])?;
    let package = package(&said).ok_or(RootfsError::NoPackage)?;
    output(folder, "apt-get", &["download", "-qq", package])?;
    let file = only(folder, package)?;
    let unpacked = folder.join("unpacked");
    let [from, to] = [&file, &unpacked].map(|path| path.to_string_lossy().into_owned());
    output(folder, "dpkg-deb", &["-x", &from, &to])?;
    found(&unpacked)
}

/// The package of the newest kernel, in what `apt-cache depends` says.
fn package(said: &str) -> Option<&str> {
    let depends = said.lines().filter_map(|line| {
        let (kind, name) = line.trim().split_once(": ")?;
        (kind == "Depends" && name.starts_with("linux-image-")).then_some(name)
    });
    depends.into_iter().next()
}

/// The kernel and its modules in a folder laid out as packages are.
pub(super) fn found(root: &Path) -> Result<KernelFiles, RootfsError> {
    let kernel = only(&root.join("boot"), "vmlinuz-")?;
    // Distributions are moving the one below the other.
    let places = ["lib/modules", "usr/lib/modules"].map(|place| root.join(place));
    let modules = places.iter().find(|place| place.is_dir());
    let modules = only(modules.unwrap_or(&places[0]), "")?;
    Ok(KernelFiles { kernel, modules })
}

fn only(folder: &Path, beginning: &str) -> Result<PathBuf, RootfsError> {
    let entries = fs::read_dir(folder).map_err(RootfsError::file(folder))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    let last = paths.pop();
    last.ok_or_else(|| RootfsError::NoKernel(folder.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_s_package_is_named_by_the_one_that_depends_on_it() {
        let said = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n";
        assert_eq!(package(said), Some("linux-image-6.1.0-56-cloud-amd64"));
        assert_eq!(
            package("linux-image-cloud-amd64\n  Conflicts: linux-image-x\n"),
            None
        );
        assert_eq!(package(""), None);
    }
}
