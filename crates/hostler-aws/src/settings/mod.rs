//! What the provider is configured with: the table `aws` of `runners.toml`, and
//! the variables that every program of AWS's reads.
//!
//! ```toml
//! [aws]
//! fleet = "prod"                      # tag of all that is ours; no default
//! region = "eu-west-1"                # or AWS_REGION
//! control = "http://10.0.0.5:3010"    # what machines join
//! join_token_file = "join-token"
//! [aws.pool.default]
//! launch_template = "hostler-node"    # a name, or an id lt-...
//! subnets = { eu-west-1a = "subnet-0a1b2c3d" }
//! [aws.pool.spot]
//! group = "hostler-spot"              # an Auto Scaling group instead
//! ```
//!
//! The rest of a pool (instance types, zones, processor, spot) is in its own
//! table. Without a name of its own no fleet starts: two of one name would take
//! each other's instances for orphans.

mod pool;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hostler_core::runner::PoolName;
use serde::Deserialize;

pub use pool::{PoolSettings, Source, Template};

/// What the provider is configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The value of the tag `hostler:fleet`.
    pub fleet: String,
    /// The region, unless the environment says.
    pub region: Option<String>,
    /// Where AWS is, if it is not AWS.
    pub endpoint: Option<String>,
    /// What is said to a machine.
    pub machine: MachineSettings,
    /// How often all is listed.
    pub poll: Duration,
    /// The shortest pause between two lists, while something is under way.
    pub poll_least: Duration,
    /// Whether a machine is at work only once its status checks passed.
    pub checks: bool,
    /// How long an orphan is suspected before it goes.
    pub apart: Duration,
    /// Where each pool's machines come from.
    pub pools: BTreeMap<PoolName, PoolSettings>,
}

/// What is said to a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineSettings {
    /// The control plane it joins; without one, user data is the template's.
    pub control: Option<String>,
    /// A file with a join token, read anew for each machine.
    pub join_token_file: Option<PathBuf>,
    /// The program on the machine.
    pub program: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    fleet: String,
    region: Option<String>,
    endpoint: Option<String>,
    control: Option<String>,
    join_token_file: Option<PathBuf>,
    program: Option<String>,
    poll_ms: Option<u64>,
    poll_least_ms: Option<u64>,
    checks: Option<bool>,
    suspect_ms: Option<u64>,
    #[serde(default)]
    pool: BTreeMap<PoolName, pool::Table>,
}

impl Settings {
    /// Reads the table `aws` of these, and variables through `get`.
    pub fn read(
        tables: &toml::Table,
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let found = tables.get("aws").cloned();
        let found =
            found.ok_or("runners.toml has no table [aws]; it names the fleet and its pools")?;
        let table: Table = found
            .try_into()
            .map_err(|error| format!("[aws]: {error}"))?;
        let given = |name: &str| get(name).filter(|value| !value.is_empty());
        let ms = |given: Option<u64>, usual: u64| Duration::from_millis(given.unwrap_or(usual));
        let region = table.region.or_else(|| given("AWS_REGION"));
        Ok(Self {
            fleet: fleet(table.fleet)?,
            region: region.or_else(|| given("AWS_DEFAULT_REGION")),
            endpoint: table.endpoint.or_else(|| given("AWS_ENDPOINT_URL")),
            machine: MachineSettings {
                control: table.control,
                join_token_file: table.join_token_file,
                program: table.program.unwrap_or_else(|| PROGRAM.to_owned()),
            },
            poll: ms(table.poll_ms, 15_000),
            poll_least: ms(table.poll_least_ms, 3_000),
            checks: table.checks.unwrap_or(true),
            apart: ms(table.suspect_ms, 120_000),
            pools: pool::all(table.pool)?,
        })
    }

    /// The Auto Scaling groups of all pools.
    pub fn groups(&self) -> Vec<String> {
        let sources = self.pools.values().map(|pool| &pool.source);
        sources
            .filter_map(Source::group)
            .map(str::to_owned)
            .collect()
    }
}

const PROGRAM: &str = "/usr/local/bin/hostler";

/// A word that is a tag's value, and part of a token.
fn fleet(name: String) -> Result<String, String> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(is_fine) {
        return Ok(name);
    }
    Err(format!(
        "[aws]: fleet '{name}' has to be 1 to 64 letters, digits, '-', '_', '.'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::read(&text.parse().unwrap(), get)
    }

    #[track_caller]
    fn check_mistake(text: &str, expected: &str) {
        let error = read(text, &[]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_fleet_and_where_its_pools_come_from_are_all_that_must_be_said() {
        let text =
            "[aws]\nfleet='f'\n[aws.pool.default]\nlaunch_template='t'\n[aws.pool.b]\ngroup='g'";
        let settings = read(
            text,
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", "")],
        )
        .unwrap();
        assert_eq!(settings.region.as_deref(), Some("eu-west-1"));
        assert_eq!(settings.endpoint, None);
        assert_eq!(settings.groups(), ["g"]);
        assert_eq!(settings.machine.program, PROGRAM);
    }

    #[test]
    fn mistakes_say_where_they_are() {
        check_mistake("", "no table [aws]");
        check_mistake("[aws]\nregion='x'", "fleet");
        check_mistake("[aws]\nfleet='a b'", "letters, digits");
        check_mistake("[aws]\nfleet='f'\n[aws.pool.a]", "pool 'a'");
        check_mistake(
            "[aws]\nfleet='f'\n[aws.pool.a]\ngroup='g'\nlaunch_template='t'",
            "pool 'a'",
        );
        let twice = "[aws]\nfleet='f'\n[aws.pool.a]\ngroup='g'\n[aws.pool.b]\ngroup='g'";
        check_mistake(twice, "'g' is the group of two pools");
    }
}
