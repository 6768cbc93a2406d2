//! `runners.toml`: pools, and tables of single providers.
//!
//! ```toml
//! [[pool]]
//! name = "default"
//! selector = { daytona-sandbox-c = "true" }
//! taints = ["sandbox=true:NoSchedule"]
//! max = 20
//! fallback = ["spot"]
//! [[pool.window]]
//! when = "mon-fri 08:00-18:00"
//! warm = 2
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hostler_core::runner::{Arch, PoolName, RunnerPool, Taint, Window};
use hostler_core::{Bytes, Cpu, Labels};
use serde::Deserialize;

/// The file, read.
#[derive(Clone, Debug, Default)]
pub struct RunnersFile {
    pools: Vec<PoolTable>,
    /// The tables of single providers.
    pub rest: toml::Table,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PoolTable {
    name: PoolName,
    selector: Option<Labels>,
    taints: Option<Vec<String>>,
    #[serde(default)]
    instance_types: Vec<String>,
    #[serde(default)]
    zones: Vec<String>,
    arch: Option<Arch>,
    #[serde(default)]
    spot: bool,
    min: Option<u32>,
    max: Option<u32>,
    warm: Option<u32>,
    cpu: Option<String>,
    memory: Option<String>,
    slots: Option<u32>,
    /// In currency units an hour.
    price: Option<f64>,
    price_ceiling: Option<f64>,
    boot_within_s: Option<u64>,
    boots_at_once: Option<u32>,
    idle_for_s: Option<u64>,
    cool_down_s: Option<u64>,
    retry_first_s: Option<u64>,
    retry_most_s: Option<u64>,
    #[serde(default)]
    fallback: Vec<PoolName>,
    #[serde(default)]
    window: Vec<WindowTable>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowTable {
    when: String,
    min: Option<u32>,
    max: Option<u32>,
    warm: Option<u32>,
}

impl RunnersFile {
    /// The file of this text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| error.to_string())?;
        let pools = table.remove("pool");
        let pools = pools
            .map(toml::Value::try_into::<Vec<PoolTable>>)
            .transpose();
        Ok(Self {
            pools: pools
                .map_err(|error| error.to_string())?
                .unwrap_or_default(),
            rest: table,
        })
    }
}

/// The pools of the file, the one called `default` first; it is made of what
/// clusters of this kind have always been labelled with, if it is not named.
pub fn pools_of(file: &RunnersFile) -> Result<Vec<Arc<RunnerPool>>, String> {
    let mut pools = Vec::new();
    for table in &file.pools {
        let pool = pool(table).map_err(|problem| format!("pool '{}': {problem}", table.name))?;
        pools.push(Arc::new(pool));
    }
    if !pools
        .iter()
        .any(|pool| pool.name.as_str() == PoolName::DEFAULT)
    {
        pools.push(Arc::new(usual()?));
    }
    pools.sort_by_key(|pool| pool.name.as_str() != PoolName::DEFAULT);
    check_names(&pools)?;
    Ok(pools)
}

fn check_names(pools: &[Arc<RunnerPool>]) -> Result<(), String> {
    let names: BTreeSet<&PoolName> = pools.iter().map(|pool| &pool.name).collect();
    if names.len() != pools.len() {
        return Err("two pools have the same name".to_owned());
    }
    let others = pools.iter().flat_map(|pool| &pool.fallback);
    match others.into_iter().find(|name| !names.contains(name)) {
        Some(name) => Err(format!("there is no pool '{name}' to fall back to")),
        None => Ok(()),
    }
}

fn usual() -> Result<RunnerPool, String> {
    let name = PoolName::DEFAULT
        .parse()
        .map_err(|error: hostler_core::name::NameError| error.to_string())?;
    let mut pool = RunnerPool::named(name);
    pool.selector = [("daytona-sandbox-c".to_owned(), "true".to_owned())].into();
    pool.taints = vec![Taint {
        key: "sandbox".to_owned(),
        value: "true".to_owned(),
        effect: "NoSchedule".to_owned(),
    }];
    pool.bounds.max = u32::MAX;
    Ok(pool)
}

fn pool(table: &PoolTable) -> Result<RunnerPool, String> {
    let usual = usual()?;
    let mut pool = RunnerPool::named(table.name.clone());
    pool.selector = table.selector.clone().unwrap_or(usual.selector);
    pool.taints = match &table.taints {
        Some(texts) => texts
            .iter()
            .map(|text| taint(text))
            .collect::<Result<_, _>>()?,
        None => usual.taints,
    };
    pool.instance_types.clone_from(&table.instance_types);
    pool.zones.clone_from(&table.zones);
    (pool.arch, pool.spot) = (table.arch, table.spot);
    pool.fallback.clone_from(&table.fallback);
    bounds(table, &mut pool)?;
    machine(table, &mut pool)?;
    pool.schedule = table.window.iter().map(window).collect::<Result<_, _>>()?;
    Ok(pool)
}

fn bounds(table: &PoolTable, pool: &mut RunnerPool) -> Result<(), String> {
    pool.bounds.min = table.min.unwrap_or(0);
    pool.bounds.max = table.max.unwrap_or(u32::MAX);
    pool.bounds.warm = table.warm.unwrap_or(0);
    if pool.bounds.min > pool.bounds.max {
        return Err("min is more than max".to_owned());
    }
    let seconds = |given: Option<u64>, usual| given.map_or(usual, Duration::from_secs);
    pool.boot_within = seconds(table.boot_within_s, pool.boot_within);
    pool.idle_for = seconds(table.idle_for_s, pool.idle_for);
    pool.cool_down = seconds(table.cool_down_s, pool.cool_down);
    pool.retry_first = seconds(table.retry_first_s, pool.retry_first);
    pool.retry_most = seconds(table.retry_most_s, pool.retry_most);
    pool.boots_at_once = table.boots_at_once.unwrap_or(pool.boots_at_once);
    Ok(())
}

fn machine(table: &PoolTable, pool: &mut RunnerPool) -> Result<(), String> {
    if let Some(text) = &table.cpu {
        pool.shape.cpu = text.parse::<Cpu>().map_err(|error| error.to_string())?;
    }
    if let Some(text) = &table.memory {
        pool.shape.memory = text.parse::<Bytes>().map_err(|error| error.to_string())?;
    }
    pool.slots = table.slots.unwrap_or(pool.slots);
    pool.price_micros = table.price.map(micros).transpose()?.unwrap_or_default();
    pool.price_ceiling_micros = table.price_ceiling.map(micros).transpose()?;
    Ok(())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked before.
fn micros(price: f64) -> Result<u64, String> {
    if (0.0..=1e9).contains(&price) {
        Ok((price * 1e6).round() as u64)
    } else {
        Err(format!("{price} is no price"))
    }
}

/// `key=value:Effect`.
fn taint(text: &str) -> Result<Taint, String> {
    let wrong = || format!("'{text}' is no taint, such as 'sandbox=true:NoSchedule'");
    let (rest, effect) = text.rsplit_once(':').ok_or_else(wrong)?;
    let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
    let is_known = ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect);
    if key.is_empty() || !is_known {
        return Err(wrong());
    }
    Ok(Taint {
        key: key.to_owned(),
        value: value.to_owned(),
        effect: effect.to_owned(),
    })
}

fn window(table: &WindowTable) -> Result<Window, String> {
    let parsed = table.when.parse::<Window>();
    let mut window = parsed.map_err(|error| error.to_string())?;
    (window.min, window.max, window.warm) = (table.min, table.max, table.warm);
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Arc<RunnerPool>>, String> {
        pools_of(&RunnersFile::parse(text)?)
    }

    #[test]
    fn without_a_file_there_is_the_pool_that_always_was() {
        let pools = read("").unwrap();
        assert_eq!(pools.len(), 1);
        assert_eq!(pools[0].taints[0].key, "sandbox");
        assert_eq!(pools[0].bounds.max, u32::MAX);
    }

    #[test]
    fn a_pool_is_read_with_all_it_says() {
        let pools = read(
            r#"
            [local]
            boot_delay_ms = 10
            [[pool]]
            name = "spot"
            selector = { tier = "spot" }
            taints = ["spot:NoExecute"]
            instance_types = ["m7i.large"]
            zones = ["a"]
            arch = "arm64"
            spot = true
            min = 1
            max = 5
            warm = 2
            cpu = "2"
            memory = "8GiB"
            price = 0.05
            retry_first_s = 3
            fallback = ["default"]
            [[pool.window]]
            when = "mon-fri 08:00-18:00"
            warm = 4
            "#,
        )
        .unwrap();
        let names: Vec<_> = pools.iter().map(|pool| pool.name.as_str()).collect();
        assert_eq!(names, ["default", "spot"]);
        let pool = &pools[1];
        assert_eq!(
            (pool.bounds.min, pool.bounds.max, pool.bounds.warm),
            (1, 5, 2)
        );
        assert_eq!(
            (pool.taints[0].value.as_str(), pool.price_micros),
            ("", 50_000)
        );
        assert_eq!(
            (pool.arch, pool.schedule[0].warm),
            (Some(Arch::Arm64), Some(4))
        );
        assert_eq!(pool.shape, hostler_core::Resources::of(2_000, 8_192));
        assert_eq!(pool.retry_first, Duration::from_secs(3));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_pool_it_is_in() {
        let check = |text: &str, expected: &str| {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        };
        check(
            "[[pool]]\nname = 'a'\nmin = 3\nmax = 2",
            "pool 'a': min is more than max",
        );
        check("[[pool]]\nname = 'a'\ntaints = ['x']", "no taint");
        check("[[pool]]\nname = 'a'\nfallback = ['b']", "no pool 'b'");
        check(
            "[[pool]]\nname = 'a'\n[[pool]]\nname = 'a'",
            "the same name",
        );
        check("[[pool]]\nname = 'a'\nprice = -1.0", "no price");
        check("[[pool]]\nname = 'a'\nmost = 2", "most");
        check(
            "[[pool]]\nname = 'a'\n[[pool.window]]\nwhen = 'now'",
            "no span of the week",
        );
    }
}
