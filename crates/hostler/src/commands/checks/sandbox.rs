//! The original's five checks (protocol 5.4): what its machines are made of.
//! Only a configuration that asks for machines needs them.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Ground;
use super::finding::Finding;
use super::machine::{found_in, package};
use super::mend::Mending;

/// Plugins, and the Debian package that has them.
const PLUGINS: [(&str, Option<&str>); 3] = [
    ("host-local", Some("containernetworking-plugins")),
    ("ptp", Some("containernetworking-plugins")),
    ("tc-redirect-tap", None),
];

/// Where plugins and programs go that nobody gave a place.
const PLUGIN_FOLDER: &str = "/opt/cni/bin";
const PROGRAM_FOLDER: &str = "/usr/local/bin";
/// Where the package puts its plugins.
const PACKAGED: &str = "/usr/lib/cni";
const NETWORKS: &str = "/etc/cni/conf.d";

/// 1: `Required CNI Plugins`.
pub(super) fn plugins(ground: &Ground) -> Vec<Finding> {
    let given = &ground.config.cni.bin_path;
    let folders = searched(given, &[PLUGIN_FOLDER, PACKAGED]);
    let first = given
        .first()
        .map_or(Path::new(PLUGIN_FOLDER), PathBuf::as_path);
    let look = |(name, packaged): (&str, Option<&'static str>)| {
        let found = found_in(folders.iter().map(|folder| folder.join(name)));
        let fix = match packaged {
            Some(package) => format!("apt install {package}"),
            None => by_hand(name),
        };
        let copied = ground.copied(name, first.join(name), true);
        let mending = copied.or_else(|| package(packaged?));
        Finding::new(format!("cni plugin {name}"), found, fix).mended_by(mending)
    };
    PLUGINS.into_iter().map(look).collect()
}

/// 2: `Required binaries`.
pub(super) fn firecracker(ground: &Ground) -> Finding {
    let name = "firecracker";
    let folders = searched(&ground.config.bin_path, &[PROGRAM_FOLDER]);
    let found = found_in(folders.iter().map(|folder| folder.join(name)));
    let target = Path::new(PROGRAM_FOLDER).join(name);
    Finding::new(name, found, by_hand(name)).mended_by(ground.copied(name, target, true))
}

/// 3: `CNI configuration requirements`.
pub(super) fn network(ground: &Ground) -> Finding {
    let name = ground.config.network();
    let path = Path::new(NETWORKS).join(format!("{name}.conflist"));
    let found = found_in(std::iter::once(path.clone()));
    let subnet = ground.config.cni.subnet.as_deref();
    let text = conflist(name, subnet.unwrap_or("192.168.127.0/24"));
    let fix = format!("write the network '{name}' into {}", path.display());
    // A name with a slash in it would be written elsewhere.
    let is_name = !name.contains('/');
    let mending = is_name.then_some(Mending::Write { path, text });
    Finding::new("cni network", found, fix).mended_by(mending)
}

/// 4: `VMLinux Kernel`.
pub(super) fn kernel(ground: &Ground) -> Finding {
    resource("kernel", ground.config.kernel(), "vmlinux", ground)
}

/// 5: `Root Filesystem Template`.
pub(super) fn root_fs(ground: &Ground) -> Finding {
    resource(
        "root file system",
        ground.config.rootfs(),
        "rootfs.ext4",
        ground,
    )
}

fn resource(what: &str, path: Option<PathBuf>, name: &str, ground: &Ground) -> Finding {
    let Some(path) = path else {
        let missing = Err("the configuration names none".to_owned());
        let fix = "name it there: default_resource_dir, or kernel_filepath and rootfs_filepath";
        return Finding::new(what, missing, fix);
    };
    let found = found_in(std::iter::once(path.clone()));
    let found = found.map_err(|_| format!("{} is missing", path.display()));
    Finding::new(what, found, by_hand(name)).mended_by(ground.copied(name, path, false))
}

fn by_hand(name: &str) -> String {
    format!("give a folder that has {name}: --from FOLDER")
}

impl Ground {
    /// How a file from the folder at hand comes to its place.
    fn copied(&self, name: &str, to: PathBuf, is_program: bool) -> Option<Mending> {
        let folder = self.from.clone()?;
        folder.join(name).is_file().then(|| Mending::Copy {
            folder,
            name: name.to_owned(),
            to,
            is_program,
        })
    }
}

/// Folders in the order they are searched in.
fn searched(given: &[PathBuf], usual: &[&str]) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = usual.iter().map(PathBuf::from);
    let rest = usual.chain(std::env::split_paths(&path));
    given.iter().cloned().chain(rest).collect()
}

/// The network of machines as CNI has it (protocol 5.5).
fn conflist(name: &str, subnet: &str) -> String {
    let ipam = json!({
        "type": "host-local", "subnet": subnet, "resolvConf": "/etc/resolv.conf",
    });
    let plugins = json!([
        { "type": "ptp", "ipMasq": true, "ipam": ipam },
        { "type": "tc-redirect-tap" },
    ]);
    let network = json!({ "name": name, "cniVersion": "0.4.0", "plugins": plugins });
    format!("{network:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Programs;

    #[test]
    fn a_resource_is_found_where_the_configuration_says_and_copied_from_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path();
        std::fs::create_dir(here.join("from")).expect("made");
        std::fs::write(here.join("from/vmlinux"), "k").expect("written");
        let text = json!({ "default_resource_dir": here.join("res") }).to_string();
        let (config, _) = hostler_node::MachineConfig::read(text.as_bytes()).expect("read");
        let mut ground = Ground {
            data: here.into(),
            config,
            nats: None,
            programs: Programs::default(),
            from: None,
        };
        assert!(kernel(&ground).stops() && kernel(&ground).mending.is_none());
        ground.from = Some(here.join("from"));
        assert!(kernel(&ground).mending.is_some());
        assert!(
            root_fs(&ground).mending.is_none(),
            "it is not in the folder"
        );
        std::fs::create_dir(here.join("res")).expect("made");
        std::fs::write(here.join("res/vmlinux"), "k").expect("written");
        assert!(kernel(&ground).good);
    }

    #[test]
    fn a_network_is_written_as_the_original_s() {
        let network: serde_json::Value =
            serde_json::from_str(&conflist("n", "10.1.0.0/24")).expect("JSON");
        assert_eq!(network["name"], "n");
        assert_eq!(network["plugins"][0]["ipam"]["subnet"], "10.1.0.0/24");
        assert_eq!(network["plugins"][1]["type"], "tc-redirect-tap");
    }
}
