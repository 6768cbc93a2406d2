//! What the provider is configured with, by environment.

use std::path::PathBuf;
use std::time::Duration;

/// The namespace of placeholders when none is named.
const NAMESPACE: &str = "default";
/// The pause container: it does nothing, and needs no rights to do so.
const IMAGE: &str = "registry.k8s.io/pause:3.10";
/// The label of the runner program's pods.
const PROGRAMS: &str = "app=daytona-runner";
/// The manager's name in labels.
const MANAGER: &str = "runner-manager";

/// What the provider is configured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where placeholders, jobs and the lease are.
    pub namespace: String,
    /// A kubeconfig; absent in a cluster.
    pub kubeconfig: Option<PathBuf>,
    /// The manager's name, shared by its replicas: what its pods are labelled
    /// with.
    pub manager: String,
    /// This replica's name: no other's.
    pub replica: String,
    /// The image of placeholders.
    pub image: String,
    /// The priority class of placeholders, if they have one.
    pub priority_class: Option<String>,
    /// The label selector of the runner program's pods.
    pub programs: String,
    /// The namespace of the runner program's pods.
    pub programs_in: String,
    /// How long one call may take.
    pub patience: Duration,
}

/// A variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is '{value}': {wanted}")]
pub struct SettingsError {
    /// Which.
    pub variable: &'static str,
    /// What it is.
    pub value: String,
    /// What it has to be.
    pub wanted: &'static str,
}

impl Settings {
    /// Reads the environment through `get`, which answers for a variable by
    /// its name. A variable that is empty is as good as none.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let or = |name: &str, usual: &str| get(name).unwrap_or_else(|| usual.to_owned());
        let namespace = or("PROVIDER_NAMESPACE", NAMESPACE);
        let settings = Self {
            kubeconfig: get("KUBECONFIG_PATH").map(PathBuf::from),
            manager: or("MANAGER_ID", MANAGER),
            replica: get("POD_NAME").unwrap_or_else(|| or("HOSTNAME", MANAGER)),
            image: or("PLACEHOLDER_POD_IMAGE", IMAGE),
            priority_class: get("PLACEHOLDER_PRIORITY_CLASS"),
            programs: or("RUNNER_POD_SELECTOR", PROGRAMS),
            programs_in: or("RUNNER_POD_NAMESPACE", &namespace),
            patience: Duration::from_secs(8),
            namespace,
        };
        label("PROVIDER_NAMESPACE", &settings.namespace)?;
        label("RUNNER_POD_NAMESPACE", &settings.programs_in)?;
        label("MANAGER_ID", &settings.manager)?;
        Ok(settings)
    }
}

/// A DNS label, which is a namespace, a label's value and a part of a name.
fn label(variable: &'static str, value: &str) -> Result<(), SettingsError> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_dashed = value.starts_with('-') || value.ends_with('-');
    if value.len() <= 63 && !value.is_empty() && value.bytes().all(inner) && !is_dashed {
        return Ok(());
    }
    Err(SettingsError {
        variable,
        value: value.to_owned(),
        wanted: "lower-case letters, digits and '-', at most 63, neither end a '-'",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let get = |name: &str| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::read(get)
    }

    #[test]
    fn nothing_set_is_the_seed_s_defaults() {
        let settings = read(&[("KUBECONFIG_PATH", "")]).unwrap();
        assert_eq!(settings.namespace, "default");
        assert_eq!(settings.programs, "app=daytona-runner");
        assert_eq!(settings.programs_in, "default");
        assert_eq!(settings.kubeconfig, None);
    }

    #[test]
    fn programs_are_looked_for_beside_the_placeholders_unless_it_is_said_where() {
        let settings = read(&[("PROVIDER_NAMESPACE", "a")]).unwrap();
        assert_eq!(settings.programs_in, "a");
        let settings = read(&[("PROVIDER_NAMESPACE", "a"), ("RUNNER_POD_NAMESPACE", "b")]).unwrap();
        assert_eq!(settings.programs_in, "b");
    }

    #[test]
    fn a_name_that_could_be_part_of_a_path_is_refused() {
        for bad in ["..", "a/b", "A", "-a", "a-", &"a".repeat(64)] {
            let error = read(&[("PROVIDER_NAMESPACE", bad)]).unwrap_err();
            assert_eq!(error.variable, "PROVIDER_NAMESPACE", "{bad}");
            assert!(read(&[("MANAGER_ID", bad)]).is_err(), "{bad}");
        }
    }
}
