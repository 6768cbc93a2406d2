//! The machines of `hostler up --grow-to`: further nodes, each a process of
//! this machine that the control plane starts and ends through its local
//! provider. What is arranged here: the provider's configuration, and a join
//! token, renewed long before it expires.
//!
//! They outlive the control plane and its supervisor when those are killed, and
//! are found again. When `hostler up` is stopped, they are switched off after
//! the control plane has ended, which would replace them otherwise, and the
//! next start switches them on again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_daemon::secret;
use hostler_runners::config::{RunnersFile, pools_of};
use hostler_runners::provider::local::{Clear, power_off};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::JoinTokenCreate;
use tokio_util::sync::CancellationToken;
use toml::{Table, Value};

use super::children::Fleet;
use super::layout::Layout;

/// How long a join token is good, and how often there is a new one.
const GOOD: Duration = Duration::from_hours(24);
const RENEW: Duration = Duration::from_hours(8);
/// More than are ever started while one token is good.
const USES: u32 = 100_000;
const RETRY: Duration = Duration::from_millis(200);
/// As long as the first node has to end its work.
const GRACE: Duration = Duration::from_secs(30);

/// The configuration of the provider, if the fleet is to grow, or has machines
/// from a life in which it was.
pub(super) fn configure(fleet: &Fleet) -> Result<Option<PathBuf>> {
    let has_some = std::fs::read_dir(fleet.layout.machines()).is_ok_and(|all| all.count() > 0);
    if fleet.args.growth.grow_to == 1 && !has_some {
        return Ok(None);
    }
    let text = toml::to_string(&table(fleet)?)?;
    let pools = RunnersFile::parse(&text).and_then(|file| pools_of(&file));
    let named = || fleet.args.growth.runners_file.clone().unwrap_or_default();
    pools.map_err(|problem| anyhow::anyhow!("{}: {problem}", named().display()))?;
    let path = fleet.layout.run("runners.toml");
    secret::write(&path, text.as_bytes()).context("could not write runners.toml")?;
    Ok(Some(path))
}

/// The user's file, with what it does not say.
fn table(fleet: &Fleet) -> Result<Table> {
    let growth = &fleet.args.growth;
    let mut file = read(growth.runners_file.as_deref())?;
    let most = growth.grow_to.saturating_sub(1);
    let delay = Duration::from(growth.boot_delay);
    let pools = file
        .entry("pool")
        .or_insert_with(|| Value::Array(Vec::new()));
    let pools = pools.as_array_mut().context("pool is no list of tables")?;
    let is_default = |pool: &Value| pool.get("name").and_then(Value::as_str) == Some("default");
    if !pools.iter().any(is_default) {
        pools.push(Value::Table(Table::from_iter([text("name", "default")])));
    }
    for pool in pools.iter_mut().filter_map(Value::as_table_mut) {
        fill(pool, usual(delay));
        let max = pool.get("max").and_then(Value::as_integer);
        let max = max.unwrap_or(i64::MAX).min(i64::from(most));
        pool.insert("max".to_owned(), Value::Integer(max));
    }
    let local = file
        .entry("local")
        .or_insert_with(|| Value::Table(Table::new()));
    let local = local.as_table_mut().context("[local] is no table")?;
    if !delay.is_zero() {
        local.remove("boot_delay_ms");
    }
    fill(local, programs(fleet, most, delay));
    Ok(file)
}

fn read(path: Option<&Path>) -> Result<Table> {
    let Some(path) = path else {
        return Ok(Table::new());
    };
    let named = || format!("could not read {}", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    text.parse().with_context(named)
}

fn fill(table: &mut Table, usual: Vec<(String, Value)>) {
    for (key, value) in usual {
        table.entry(key).or_insert(value);
    }
}

/// What suits processes, which cost nothing and start at once.
fn usual(delay: Duration) -> Vec<(String, Value)> {
    let boot = 60 + delay.as_secs();
    vec![
        ("selector".to_owned(), Value::Table(Table::new())),
        ("taints".to_owned(), Value::Array(Vec::new())),
        number("idle_for_s", 60),
        number("cool_down_s", 5),
        number("boot_within_s", boot),
        number("boots_at_once", 4),
        number("retry_first_s", 2),
        number("retry_most_s", 60),
    ]
}

fn programs(fleet: &Fleet, most: u32, delay: Duration) -> Vec<(String, Value)> {
    let file = |key: &str, path: &Path| text(key, &path.display().to_string());
    vec![
        text("control", &fleet.url()),
        file("join_token_file", &token_file(&fleet.layout)),
        file("nats_server", &fleet.nats_server),
        file("agent", &fleet.agent),
        number(
            "boot_delay_ms",
            u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        ),
        number("most", most.into()),
        number("warm", 1),
    ]
}

fn text(key: &str, value: &str) -> (String, Value) {
    (key.to_owned(), Value::String(value.to_owned()))
}

fn number(key: &str, value: u64) -> (String, Value) {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    (key.to_owned(), Value::Integer(value))
}

fn token_file(layout: &Layout) -> PathBuf {
    layout.secret("machines.token")
}

/// Keeps a join token for machines until `stop`, then switches them off: the
/// control plane has ended by then.
pub(super) async fn run(layout: Layout, client: ControlClient, stop: CancellationToken) {
    let file = token_file(&layout);
    let keeping = keep_token(&file, &client);
    let _ = stop.run_until_cancelled(keeping).await;
    switch_off(&layout).await;
}

/// Switches off all machines there are.
pub(super) async fn switch_off(layout: &Layout) {
    let clear: Clear = Arc::new(hostler_node::clear);
    let count = power_off(&layout.machines(), GRACE, &clear).await;
    if count > 0 {
        tracing::info!(count, "switched machines off");
    }
}

async fn keep_token(path: &Path, client: &ControlClient) {
    loop {
        let pause = match renew(path, client).await {
            Ok(()) => RENEW,
            Err(error) => {
                tracing::debug!(%error, "no join token for machines yet");
                RETRY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn renew(path: &Path, client: &ControlClient) -> Result<()> {
    let request = JoinTokenCreate {
        ttl_s: Some(GOOD.as_secs()),
        uses: Some(USES),
    };
    let made = client.join_token_create(&request).await?;
    secret::write(path, made.secret.as_bytes()).context("could not keep the join token")
}
