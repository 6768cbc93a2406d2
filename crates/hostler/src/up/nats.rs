//! The control NATS of a fleet on one machine: a `nats-server` child with
//! JetStream, on loopback, with one nkey for each of us and one password that
//! workloads share, which reaches none of the control subjects.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hostler_daemon::secret;
use nkeys::KeyPair;
use tokio::process::Command;

use super::layout::Layout;

/// Who has a key of their own.
const ROLES: [&str; 3] = ["control", "node", "cli"];

/// What workloads may neither publish to nor hear.
const DENIED: &str = r#"["$NEX.>", "$SYS.>", "$JS.>", "$O.>", "$KV.>"]"#;

/// How to reach the control NATS.
#[derive(Clone, Debug)]
pub(crate) struct NatsAccess {
    /// For us, with a seed file.
    pub(crate) url: String,
    /// For workloads, password included.
    pub(crate) workload_url: String,
}

/// Makes the keys and the configuration; says how to reach the server.
pub(crate) fn prepare(layout: &Layout, port: u16) -> Result<NatsAccess> {
    let mut users = Vec::new();
    for role in ROLES {
        users.push(format!(
            "    {{ nkey: {} }}",
            public_key(&seed_file(layout, role))?
        ));
    }
    let (password, _) =
        secret::load_or_make(&layout.secret("workload.nats"), secret::random_secret)?;
    users.push(format!(
        "    {{ user: workload, password: \"{password}\", permissions: {{\n      \
         publish: {{ deny: {DENIED} }}, subscribe: {{ deny: {DENIED} }} }} }}"
    ));
    secret::write(
        &config_file(layout),
        config(layout, port, &users).as_bytes(),
    )
    .context("could not write the configuration of NATS")?;
    Ok(NatsAccess {
        url: format!("nats://127.0.0.1:{port}"),
        workload_url: format!("nats://workload:{password}@127.0.0.1:{port}"),
    })
}

fn config(layout: &Layout, port: u16, users: &[String]) -> String {
    let store = layout.data.join("nats").join("jetstream");
    format!(
        "listen: \"127.0.0.1:{port}\"\nmax_payload: 8MB\n\
         jetstream {{ store_dir: \"{}\" }}\n\
         authorization {{\n  users = [\n{}\n  ]\n}}\n",
        store.display(),
        users.join("\n")
    )
}

fn config_file(layout: &Layout) -> PathBuf {
    layout.data.join("nats").join("server.conf")
}

/// The file with the nkey seed of a role.
pub(crate) fn seed_file(layout: &Layout, role: &str) -> PathBuf {
    layout.secret(&format!("{role}.nk"))
}

fn public_key(path: &Path) -> Result<String> {
    let make = || KeyPair::new_user().seed().unwrap_or_default();
    let (seed, _) = secret::load_or_make(path, make)?;
    let pair = KeyPair::from_seed(&seed)
        .with_context(|| format!("{} does not hold an nkey seed", path.display()))?;
    Ok(pair.public_key())
}

/// The command that starts the server.
pub(crate) fn command(program: &Path, layout: &Layout) -> Command {
    let mut command = Command::new(program);
    command.arg("--config").arg(config_file(layout));
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null());
    command.stderr(log_file(layout));
    command.process_group(0).kill_on_drop(true);
    command
}

fn log_file(layout: &Layout) -> std::process::Stdio {
    let path = layout.data.join("nats").join("server.log");
    std::fs::File::create(path).map_or_else(|_| std::process::Stdio::null(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_none_is_in_the_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::create(folder.path()).expect("made");
        let first = prepare(&layout, 4_222).expect("prepared");
        let text = std::fs::read_to_string(config_file(&layout)).expect("written");
        let again = prepare(&layout, 4_222).expect("prepared");
        assert_eq!(first.workload_url, again.workload_url);
        assert_eq!(
            std::fs::read_to_string(config_file(&layout)).expect("written"),
            text
        );
        let seed = std::fs::read_to_string(seed_file(&layout, "cli")).expect("a seed");
        assert!(
            seed.starts_with("SU") && !text.contains(seed.trim()),
            "{text}"
        );
    }
}
