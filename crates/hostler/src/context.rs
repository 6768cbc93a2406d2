//! Contexts: which fleet a command speaks to, and with which token.
//!
//! Kept in `contexts.toml` (0600, because it holds tokens) in the platform's
//! configuration folder, or in `$HOSTLER_CONFIG`. `hostler up` writes the one
//! called `local`; flags and environment variables outweigh the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// The context that `hostler up` writes.
pub(crate) const LOCAL: &str = "local";

/// How to reach one fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Context {
    /// Where the control plane answers.
    pub url: String,
    /// The bearer token.
    pub token: String,
    /// The control NATS, for `hostler call`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nats: Option<String>,
    /// A file with the nkey seed to use there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nats_seed: Option<PathBuf>,
    /// The control NATS as workloads may use it, credentials included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_nats: Option<String>,
}

/// All contexts and which one is meant when none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contexts {
    /// The one meant when none is named.
    #[serde(default)]
    pub current: Option<String>,
    /// All of them by name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

impl Contexts {
    /// What the file holds; nothing, if there is none.
    pub(crate) fn load() -> Result<Self> {
        let path = path()?;
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .with_context(|| format!("{} is not a file of contexts", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
        }
    }

    /// Writes the file, for its owner only.
    pub(crate) fn save(&self) -> Result<PathBuf> {
        let path = path()?;
        let text = toml::to_string_pretty(self)?;
        hostler_daemon::secret::write(&path, text.as_bytes())
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    }

    /// The context of this name, or the current one.
    pub(crate) fn pick(&self, name: Option<&str>) -> Result<Context> {
        let Some(name) = name.or(self.current.as_deref()) else {
            bail!("no fleet is known here; start one with `hostler up`, or give --url and --token");
        };
        match self.contexts.get(name) {
            Some(context) => Ok(context.clone()),
            None => bail!("there is no context '{name}'; `hostler context ls` lists them"),
        }
    }
}

fn path() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("HOSTLER_CONFIG") {
        return Ok(Path::new(&folder).join("contexts.toml"));
    }
    Ok(platform_folder("XDG_CONFIG_HOME", ".config")?.join("contexts.toml"))
}

/// Where data goes when nothing else is said: `$HOSTLER_DATA`, or the
/// platform's data folder.
pub(crate) fn data_folder() -> Result<PathBuf> {
    match std::env::var_os("HOSTLER_DATA") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => platform_folder("XDG_DATA_HOME", ".local/share"),
    }
}

fn platform_folder(variable: &str, below_home: &str) -> Result<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)));
    let base = base.with_context(|| format!("neither {variable} nor HOME names a folder"))?;
    Ok(base.join("hostler"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_picked_by_name_or_as_the_current_one() {
        let local = Context {
            url: "http://127.0.0.1:3010".into(),
            ..Context::default()
        };
        let mut contexts = Contexts::default();
        assert!(contexts.pick(None).is_err());
        contexts.contexts.insert(LOCAL.into(), local.clone());
        assert!(contexts.pick(None).is_err());
        assert_eq!(contexts.pick(Some(LOCAL)).expect("by name"), local);
        contexts.current = Some(LOCAL.into());
        assert_eq!(contexts.pick(None).expect("current"), local);
        assert!(contexts.pick(Some("other")).is_err());
    }
}
