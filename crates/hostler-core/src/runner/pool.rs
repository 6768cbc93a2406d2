//! Pools: what kind of machines may be asked for, how many, and when.
//!
//! A pool holds only wishes. How many machines it has, and whether it gives
//! any now, is for its provider's snapshot to say.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Labels, Name, Resources, Timestamp};

mod window;

pub use window::{Window, WindowError};

/// The name of a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PoolName(Name);

impl PoolName {
    /// The pool that is meant when none is named.
    pub const DEFAULT: &'static str = "default";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for PoolName {
    type Err = crate::name::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The processor family of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 64-bit x86.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Arch {
    /// The word that labels and image indexes use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// What keeps other work off the pool's machines.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// How many runners a pool is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Never fewer; removals stop here.
    pub min: u32,
    /// Never more, whatever is asked; it outweighs `min`.
    pub max: u32,
    /// So many idle ones above what is used.
    pub warm: u32,
}

/// A kind of machine, and the rules for having some.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerPool {
    /// Its name.
    pub name: PoolName,
    /// What its machines are labelled with; also what they offer to work.
    pub selector: Labels,
    /// What its machines are tainted with.
    pub taints: Vec<Taint>,
    /// Instance types, the dearest wish first; empty: the provider's choice.
    pub instance_types: Vec<String>,
    /// Zones; empty: any.
    pub zones: Vec<String>,
    /// The processor family; `None`: any.
    pub arch: Option<Arch>,
    /// Whether its machines may be taken away at short notice.
    pub spot: bool,
    /// How many, outside of every window.
    pub bounds: Bounds,
    /// When it is to be something else.
    pub schedule: Vec<Window>,
    /// What one of its machines has to give; zero: not known.
    pub shape: Resources,
    /// How many workloads one of its machines holds.
    pub slots: u32,
    /// What one costs an hour, in millionths of the currency unit.
    pub price_micros: u64,
    /// The most that one may cost an hour (spot), in the same.
    pub price_ceiling_micros: Option<u64>,
    /// How long a machine may take from its request until it registers.
    pub boot_within: Duration,
    /// The most that boot at once.
    pub boots_at_once: u32,
    /// How long a machine is idle before it may go.
    pub idle_for: Duration,
    /// The pause after one change before the next to the smaller.
    pub cool_down: Duration,
    /// The pause after the first failure; each further one doubles it.
    pub retry_first: Duration,
    /// The longest pause after a failure.
    pub retry_most: Duration,
    /// Pools to ask instead when this one has no capacity, in order.
    pub fallback: Vec<PoolName>,
}

impl RunnerPool {
    /// A pool with this name, open to everything, with defaults elsewhere.
    pub fn named(name: PoolName) -> Self {
        Self {
            name,
            selector: Labels::new(),
            taints: Vec::new(),
            instance_types: Vec::new(),
            zones: Vec::new(),
            arch: None,
            spot: false,
            bounds: Bounds {
                min: 0,
                max: 1_000,
                warm: 0,
            },
            schedule: Vec::new(),
            shape: Resources::default(),
            slots: 64,
            price_micros: 0,
            price_ceiling_micros: None,
            boot_within: Duration::from_mins(20),
            boots_at_once: 100,
            idle_for: Duration::from_mins(10),
            cool_down: Duration::from_mins(1),
            retry_first: Duration::from_secs(15),
            retry_most: Duration::from_mins(30),
            fallback: Vec::new(),
        }
    }

    /// How many it is to have at `now`: the first window that holds decides,
    /// in what it names.
    pub fn bounds_at(&self, now: Timestamp) -> Bounds {
        let usual = self.bounds;
        let open = self.schedule.iter().find(|window| window.holds_at(now));
        open.map_or(usual, |window| Bounds {
            min: window.min.unwrap_or(usual.min),
            max: window.max.unwrap_or(usual.max),
            warm: window.warm.unwrap_or(usual.warm),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_changes_what_it_names_while_it_holds() {
        let mut pool = RunnerPool::named("default".parse().unwrap());
        let mut window: Window = "mon-fri 08:00-18:00".parse().unwrap();
        window.warm = Some(3);
        pool.schedule = vec![window];
        // Thursday, 1 January 1970.
        let at = |hour: i64| pool.bounds_at(Timestamp::from_ms(hour * 3_600_000)).warm;
        assert_eq!([at(7), at(8), at(17), at(18), at(72 + 9)], [0, 3, 3, 0, 0]);
    }
}
