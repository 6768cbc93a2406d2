//! What an operator chooses for the whole fleet: how possible nodes are
//! compared, and how far each pool of nodes is overbooked.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Bytes, Cpu, Labels, Resources};

/// How nodes that could all take a unit are compared, once its wishes about
/// other units are weighed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The least loaded node.
    #[default]
    LeastLoaded,
    /// The node that was given a unit longest ago.
    RoundRobin,
    /// A node that holds units of the same project already, least loaded first.
    Sticky,
    /// The fullest node that has room.
    BinPack,
}

/// A text that names no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a policy: least-loaded, round-robin, sticky or bin-pack")]
pub struct PolicyError(pub String);

impl Policy {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::LeastLoaded,
        Self::RoundRobin,
        Self::Sticky,
        Self::BinPack,
    ];

    /// The word in settings and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeastLoaded => "least-loaded",
            Self::RoundRobin => "round-robin",
            Self::Sticky => "sticky",
            Self::BinPack => "bin-pack",
        }
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let named = |policy: &Self| policy.as_str() == text;
        let found = Self::ALL.into_iter().find(named);
        found.ok_or_else(|| PolicyError(text.to_owned()))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much of a node may be promised, in percent of what it has. Below 100
/// it keeps a reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overcommit {
    /// Of its processors.
    pub cpu_percent: u32,
    /// Of its memory.
    pub memory_percent: u32,
}

/// The overcommit of each pool; a pool not named here has 100 %.
pub type Overcommits = BTreeMap<String, Overcommit>;

impl Default for Overcommit {
    fn default() -> Self {
        Self {
            cpu_percent: 100,
            memory_percent: 100,
        }
    }
}

impl Overcommit {
    /// The node label that names its pool.
    pub const POOL_LABEL: &'static str = "pool";

    /// The overcommit of a node with these labels.
    pub fn of(overcommits: &Overcommits, labels: &Labels) -> Self {
        let pool = labels.get(Self::POOL_LABEL);
        pool.and_then(|pool| overcommits.get(pool).copied())
            .unwrap_or_default()
    }

    /// What may be promised of `capacity`.
    pub fn promise(self, capacity: Resources) -> Resources {
        Resources {
            cpu: Cpu::millis(percent(capacity.cpu.as_millis(), self.cpu_percent)),
            memory: Bytes::new(percent(capacity.memory.get(), self.memory_percent)),
        }
    }
}

fn percent(amount: u64, percent: u32) -> u64 {
    let promised = u128::from(amount) * u128::from(percent) / 100;
    u64::try_from(promised).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_reads_back_what_it_writes() {
        for policy in Policy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
            let json = serde_json::to_string(&policy).unwrap();
            assert_eq!(json, format!("\"{policy}\""));
        }
        assert!("fastest".parse::<Policy>().is_err());
    }

    #[test]
    fn the_pool_label_selects_the_overcommit() {
        let burst = Overcommit {
            cpu_percent: 400,
            memory_percent: 90,
        };
        let overcommits = Overcommits::from([("burst".to_owned(), burst)]);
        let check = |pool: &str, expected| {
            let labels = Labels::from([("pool".to_owned(), pool.to_owned())]);
            let promised = Overcommit::of(&overcommits, &labels).promise(Resources::of(1_000, 100));
            assert_eq!(promised, expected, "{pool}");
        };
        check("burst", Resources::of(4_000, 90));
        check("other", Resources::of(1_000, 100));
    }

    #[test]
    fn an_overcommit_beyond_all_numbers_stays_at_the_largest() {
        assert_eq!(percent(u64::MAX, 200), u64::MAX);
        assert_eq!(percent(0, 200), 0);
    }
}
