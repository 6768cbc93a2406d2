//! The modules that a microVM's devices need, each after those that it needs
//! itself, as the modules say in a section of their own. A package that was not
//! installed has no list of that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSection as _};

use super::RootfsError;

/// Devices, in no order: the machine's own bus, a network, entropy, the balloon,
/// and what the monitor says.
const WANTED: [&str; 5] = [
    "virtio_mmio",
    "virtio_net",
    "virtio_rng",
    "virtio_balloon",
    "qemu_fw_cfg",
];

/// The modules' files in the order in which they can be loaded.
pub(super) fn in_order(folder: &Path) -> Result<Vec<PathBuf>, RootfsError> {
    let mut known = Known {
        files: BTreeMap::new(),
        builtin: builtin(folder),
        ordered: Vec::new(),
    };
    files(folder, &mut known.files)?;
    for name in WANTED {
        known.take(name)?;
    }
    Ok(known.ordered)
}

struct Known {
    files: BTreeMap<String, PathBuf>,
    builtin: Vec<String>,
    ordered: Vec<PathBuf>,
}

impl Known {
    /// Takes a module after all that it needs.
    fn take(&mut self, name: &str) -> Result<(), RootfsError> {
        let Some(path) = self.files.get(name).cloned() else {
            let is_there = self.builtin.iter().any(|builtin| builtin == name);
            return is_there
                .then_some(())
                .ok_or_else(|| RootfsError::NoModule(name.to_owned()));
        };
        if self.ordered.contains(&path) {
            return Ok(());
        }
        for needed in needs(&path)? {
            self.take(&needed)?;
        }
        self.ordered.push(path);
        Ok(())
    }
}

/// Modules have one name, whether it is written with `-` or `_`.
fn name(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_str()?;
    Some(name.strip_suffix(".ko")?.replace('-', "_"))
}

fn builtin(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("modules.builtin")).unwrap_or_default();
    text.lines().filter_map(name).collect()
}

fn files(folder: &Path, found: &mut BTreeMap<String, PathBuf>) -> Result<(), RootfsError> {
    for entry in fs::read_dir(folder).map_err(RootfsError::file(folder))? {
        let entry = entry.map_err(RootfsError::file(folder))?;
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&path, found)?;
        } else if let Some(name) = name(&path.to_string_lossy()) {
            found.insert(name, path);
        }
    }
    Ok(())
}

/// The modules that a module says it needs.
fn needs(path: &Path) -> Result<Vec<String>, RootfsError> {
    let bytes = fs::read(path).map_err(RootfsError::file(path))?;
    let failed = |source| RootfsError::Module {
        path: path.to_path_buf(),
        source,
    };
    let file = object::File::parse(&bytes[..]).map_err(failed)?;
    let section = file.section_by_name(".modinfo");
    let said = section.map(|section| section.data()).transpose();
    Ok(depends(said.map_err(failed)?.unwrap_or_default()))
}

/// What stands behind `depends=` among texts that a zero byte ends.
fn depends(said: &[u8]) -> Vec<String> {
    let texts = said.split(|byte| *byte == 0);
    let mut listed =
        texts.filter_map(|text| std::str::from_utf8(text).ok()?.strip_prefix("depends="));
    let names = listed.next().unwrap_or_default().split(',');
    names
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_module_says_what_it_needs() {
        let check = |said: &[u8], expected: &[&str]| assert_eq!(depends(said), expected);
        check(
            b"license=GPL\0depends=virtio,virtio-ring\0name=x\0",
            &["virtio", "virtio_ring"],
        );
        check(b"depends=\0", &[]);
        check(b"", &[]);
        check(b"mydepends=a\0", &[]);
    }

    #[test]
    fn what_is_built_in_needs_no_file_and_what_is_nowhere_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let list = |names: &[&str]| {
            let lines = names
                .iter()
                .map(|name| format!("kernel/drivers/{name}.ko\n"));
            let text: String = lines.collect();
            fs::write(folder.path().join("modules.builtin"), text).unwrap();
        };
        list(&WANTED);
        assert_eq!(in_order(folder.path()).unwrap(), Vec::<PathBuf>::new());
        list(&["virtio_mmio", "virtio-net", "virtio-rng", "virtio_balloon"]);
        let missing = in_order(folder.path());
        assert!(matches!(missing, Err(RootfsError::NoModule(name)) if name == "qemu_fw_cfg"));
    }

    proptest! {
        #[test]
        fn no_section_does_harm(said: Vec<u8>) {
            let _ = depends(&said);
        }
    }
}
