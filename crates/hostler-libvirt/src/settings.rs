//! The file with which an operator changes what is usual, as TOML. Read as a whole
//! before anything is done; a word that is not known is a mistake.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::options::{DirectBoot, LibvirtOptions, NatNetwork};

/// The most letters that the name of an interface may have.
const INTERFACE: usize = 15;

/// What can be changed; what is not said stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    uri: Option<String>,
    prefix: Option<String>,
    bridge: Option<String>,
    network: Option<String>,
    kernel: Option<Kernel>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kernel {
    file: PathBuf,
    initrd: PathBuf,
    #[serde(default)]
    command_line: String,
}

/// The file cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct SettingsError {
    path: PathBuf,
    problem: String,
}

impl Settings {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let failed = |problem| SettingsError {
            path: path.to_owned(),
            problem,
        };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Self::parse(&text).map_err(failed)
    }

    /// Reads a text; an error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.network.as_deref().map(network).transpose()?;
        for (what, name) in [("bridge", &settings.bridge), ("prefix", &settings.prefix)] {
            name.as_deref().map_or(Ok(()), |name| plain(what, name))?;
        }
        Ok(settings)
    }

    /// Changes what is usual.
    pub fn apply(self, options: &mut LibvirtOptions) {
        if let Some(uri) = self.uri {
            options.uri = uri;
        }
        if let Some(prefix) = self.prefix {
            options.prefix = prefix;
        }
        let network = self.network.and_then(|text| network(&text).ok());
        options.nat = NatNetwork {
            bridge: self.bridge.unwrap_or_else(|| options.nat.bridge.clone()),
            network: network.unwrap_or(options.nat.network),
        };
        options.direct_boot = self.kernel.map(|kernel| DirectBoot {
            kernel: kernel.file,
            initrd: kernel.initrd,
            command_line: kernel.command_line,
        });
    }
}

/// Names of things of the kernel and of libvirt.
fn plain(what: &str, name: &str) -> Result<(), String> {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if name.is_empty() || name.len() > INTERFACE || !name.chars().all(letters) {
        let rule = format!("1 to {INTERFACE} letters, digits and dashes");
        return Err(format!("{what}: '{name}' is not {rule}"));
    }
    Ok(())
}

/// The first 24 bits of a network such as 10.213.64.0/24.
fn network(text: &str) -> Result<[u8; 3], String> {
    let wrong = || format!("network: '{text}' is not like 10.213.64.0/24");
    let address = text.strip_suffix("/24").ok_or_else(wrong)?;
    let address: std::net::Ipv4Addr = address.parse().map_err(|_| wrong())?;
    match address.octets() {
        [a, b, c, 0] if address.is_private() => Ok([a, b, c]),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> LibvirtOptions {
        LibvirtOptions::new("/data/vms".into(), "me")
    }

    fn check(text: &str, problem: &str) {
        let error = Settings::parse(text).unwrap_err();
        assert!(error.contains(problem), "{text}: {error}");
    }

    #[test]
    fn what_is_not_said_stays_as_it_is() {
        let mut options = options();
        Settings::parse("prefix = 'lab'")
            .unwrap()
            .apply(&mut options);
        assert_eq!(options.prefix, "lab");
        assert_eq!(options.uri, "qemu:///system");
        assert_eq!(options.nat, self::options().nat);
        let text = "bridge = 'lab0'\nnetwork = '192.168.7.0/24'\nuri = 'test:///default'\n\
                    [kernel]\nfile = '/k'\ninitrd = '/i'\n";
        Settings::parse(text).unwrap().apply(&mut options);
        assert_eq!(options.nat.network, [192, 168, 7]);
        assert_eq!(options.nat.bridge, "lab0");
        assert_eq!(options.uri, "test:///default");
        assert_eq!(options.direct_boot.unwrap().initrd, Path::new("/i"));
    }

    #[test]
    fn mistakes_are_told_by_name() {
        check("prefx = 'a'", "prefx");
        check("[kernel]\nfile = '/k'", "initrd");
        check("bridge = 'much-too-long-a-name'", "bridge");
        check("prefix = ''", "prefix");
        check("bridge = '<x/>'", "bridge");
        check("network = '10.0.0.0/8'", "network");
        check("network = '10.0.0.1/24'", "network");
        check("network = '8.8.8.0/24'", "network");
        check("network = 'x/24'", "network");
    }
}
