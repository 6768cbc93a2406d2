//! The control NATS of a fleet on one machine: a `nats-server` child with
//! JetStream, on loopback unless told otherwise, with one nkey for each of us
//! and for each node that joins, and one password that workloads share, which
//! reaches none of the control subjects.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hostler_daemon::secret;
use hostler_wire::nats::nkey::{KeyPairType, is_public_key};
use nkeys::KeyPair;
use tokio::process::Command;

use super::layout::Layout;
use super::reach;

/// Who has a key of their own.
const ROLES: [&str; 3] = ["control", "node", "cli"];

/// What workloads may neither publish to nor hear.
const DENIED: &str = r#"["$NEX.>", "$SYS.>", "$JS.>", "$O.>", "$KV.>"]"#;

/// What nodes that joined by themselves may not send: orders to other nodes,
/// and changes to what JetStream keeps for all.
const NODE_DENIED: &str = r#"["$NEX.DEPLOY.>", "$NEX.STOP.>", "$NEX.LAMEDUCK.>", "$SYS.>",
      "$JS.API.STREAM.CREATE.>", "$JS.API.STREAM.UPDATE.>", "$JS.API.STREAM.DELETE.>",
      "$JS.API.STREAM.PURGE.>", "$JS.API.STREAM.MSG.DELETE.>"]"#;

/// How to reach the control NATS.
#[derive(Clone, Debug)]
pub(crate) struct NatsAccess {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// For us, with a seed file.
    pub(crate) url: String,
    /// For workloads, password included.
    pub(crate) workload_url: String,
    /// The workloads' password by itself.
    password: String,
}

/// Makes the keys and the configuration; says how to reach the server.
pub(crate) fn prepare(layout: &Layout, listen: SocketAddr) -> Result<NatsAccess> {
    let (password, _) =
        secret::load_or_make(&layout.secret("workload.nats"), secret::random_secret)?;
    let place = reach::locally(listen);
    let access = NatsAccess {
        listen,
        url: format!("nats://{place}"),
        workload_url: format!("nats://workload:{password}@{place}"),
        password,
    };
    configure(layout, &access)?;
    Ok(access)
}

/// Writes the configuration: ours, the workloads', and one user for each node
/// that has joined.
pub(crate) fn configure(layout: &Layout, access: &NatsAccess) -> Result<()> {
    let mut users = Vec::new();
    for role in ROLES {
        let key = public_key(&seed_file(layout, role))?;
        users.push(format!("    {{ nkey: {key} }}"));
    }
    for key in node_keys(layout) {
        users.push(format!(
            "    {{ nkey: {key}, permissions: {{ publish: {{ deny: {NODE_DENIED} }}, \
             subscribe: {{ deny: [\"$SYS.>\"] }} }} }}"
        ));
    }
    let password = &access.password;
    users.push(format!(
        "    {{ user: workload, password: \"{password}\", permissions: {{\n      \
         publish: {{ deny: {DENIED} }}, subscribe: {{ deny: {DENIED} }} }} }}"
    ));
    let text = config(layout, access.listen, &users);
    secret::write(&config_file(layout), text.as_bytes())
        .context("could not write the configuration of NATS")
}

/// The file in which the control plane keeps the nodes' public keys.
pub(crate) fn node_keys_file(layout: &Layout) -> PathBuf {
    layout.data.join("nats").join("nodes.keys")
}

/// The keys in it; what is no key is left out, since it would become part of
/// the server's configuration.
pub(crate) fn node_keys(layout: &Layout) -> Vec<String> {
    let text = std::fs::read_to_string(node_keys_file(layout)).unwrap_or_default();
    let is_key = |line: &&str| is_public_key(line, &KeyPairType::User);
    text.lines().filter(is_key).map(str::to_owned).collect()
}

fn config(layout: &Layout, listen: SocketAddr, users: &[String]) -> String {
    let store = layout.data.join("nats").join("jetstream");
    format!(
        "listen: \"{listen}\"\nmax_payload: 8MB\n\
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

    fn listen() -> SocketAddr {
        "127.0.0.1:4222".parse().expect("an address")
    }

    fn configured(layout: &Layout) -> String {
        std::fs::read_to_string(config_file(layout)).expect("written")
    }

    #[test]
    fn keys_are_made_once_and_none_is_in_the_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::create(folder.path()).expect("made");
        let first = prepare(&layout, listen()).expect("prepared");
        let text = configured(&layout);
        let again = prepare(&layout, listen()).expect("prepared");
        assert_eq!(first.workload_url, again.workload_url);
        assert_eq!(configured(&layout), text);
        let seed = std::fs::read_to_string(seed_file(&layout, "cli")).expect("a seed");
        assert!(
            seed.starts_with("SU") && !text.contains(seed.trim()),
            "{text}"
        );
    }

    #[test]
    fn each_node_is_a_user_and_nothing_else_gets_into_the_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::create(folder.path()).expect("made");
        let [first, second] =
            [KeyPair::new_user(), KeyPair::new_user()].map(|key| key.public_key());
        let account = KeyPair::new_account().public_key();
        let lines = format!("{first}\n{account}\n}} user: me\n\n{second} }}\n{second}\n");
        std::fs::write(node_keys_file(&layout), lines).expect("written");
        prepare(&layout, listen()).expect("prepared");
        let text = configured(&layout);
        for key in [&first, &second] {
            let user = format!("{{ nkey: {key}, permissions: {{ publish: {{ deny:");
            assert_eq!(text.matches(&user).count(), 1, "{text}");
        }
        assert!(
            !text.contains(&account) && !text.contains("user: me"),
            "{text}"
        );
    }
}
