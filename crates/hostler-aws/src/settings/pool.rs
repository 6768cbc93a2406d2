//! Where the machines of one pool come from.

use std::collections::{BTreeMap, BTreeSet};

use hostler_core::runner::PoolName;
use serde::Deserialize;

/// Where the machines of one pool come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// A template or a group.
    pub source: Source,
    /// The subnet to use in each zone, where it is not the zone's default one.
    pub subnets: BTreeMap<String, String>,
}

/// A template or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Instances are launched from a template.
    Template(Template),
    /// Instances are taken from an Auto Scaling group, which is grown.
    Group(String),
}

/// A launch template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// Its name, or its id (`lt-...`).
    pub name: String,
    /// Which version.
    pub version: String,
}

impl Source {
    /// The group, if it is one.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::Group(name) => Some(name),
            Self::Template(_) => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    launch_template: Option<String>,
    version: Option<String>,
    group: Option<String>,
    #[serde(default)]
    subnets: BTreeMap<String, String>,
}

/// Every pool, or what is wrong with one.
pub(super) fn all(
    tables: BTreeMap<PoolName, Table>,
) -> Result<BTreeMap<PoolName, PoolSettings>, String> {
    let mut pools = BTreeMap::new();
    let mut groups = BTreeSet::new();
    for (name, table) in tables {
        let subnets = table.subnets.clone();
        let source = source(table).map_err(|problem| format!("[aws] pool '{name}': {problem}"))?;
        if let Some(group) = source
            .group()
            .filter(|group| !groups.insert((*group).to_owned()))
        {
            return Err(format!("[aws]: '{group}' is the group of two pools"));
        }
        pools.insert(name, PoolSettings { source, subnets });
    }
    Ok(pools)
}

fn source(table: Table) -> Result<Source, &'static str> {
    match (table.launch_template, table.group) {
        (Some(name), None) => Ok(Source::Template(Template {
            name,
            version: table.version.unwrap_or_else(|| "$Default".to_owned()),
        })),
        (None, Some(group)) => Ok(Source::Group(group)),
        _ => Err("either launch_template or group"),
    }
}
