//! Which launches are tried for an order, in which sequence, under which
//! tokens. A launch is the same whenever it is computed again, so that EC2
//! knows it again by its token: a reply that was lost doubles nothing.

mod token;
mod user_data;

use hostler_core::runner::{Arch, RunnerPool};

use crate::names::Tags;
use crate::settings::{PoolSettings, Template};

pub(crate) use token::token;
pub(crate) use user_data::user_data;

/// One launch of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// From which template.
    pub template: Template,
    /// The instance type, if it is not the template's.
    pub instance_type: Option<String>,
    /// Where, if it is not the template's place.
    pub place: Place,
    /// Whether as a spot instance.
    pub spot: Option<Spot>,
    /// What is said to the machine, if it is not what the template says.
    pub user_data: Option<String>,
    /// The tags of instance and volumes, from its first moment on.
    pub tags: Tags,
    /// Makes two of the same launch one.
    pub token: String,
}

/// How a spot instance is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The most it may cost an hour, in EC2's notation.
    pub most: Option<String>,
}

/// Where a launch is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// Where the template says.
    #[default]
    Any,
    /// In a zone's default subnet.
    Zone(String),
    /// In a subnet.
    Subnet(String),
}

/// A type and a place to try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) instance_type: Option<String>,
    pub(crate) place: Place,
}

/// What to try, the dearest wish first: every place for one type before the
/// next type.
pub(crate) fn candidates(pool: &RunnerPool, settings: &PoolSettings) -> Vec<Candidate> {
    let types = some_or_none(&pool.instance_types);
    let places = some_or_none(&places(pool, settings));
    let all = types.iter().flat_map(|instance_type| {
        places.iter().map(|place| Candidate {
            instance_type: instance_type.clone(),
            place: place.clone().unwrap_or_default(),
        })
    });
    all.collect()
}

fn some_or_none<T: Clone>(all: &[T]) -> Vec<Option<T>> {
    if all.is_empty() {
        return vec![None];
    }
    all.iter().cloned().map(Some).collect()
}

/// The pool's zones; all zones that have a subnet, if it names none.
fn places(pool: &RunnerPool, settings: &PoolSettings) -> Vec<Place> {
    let subnet = |zone: &String| settings.subnets.get(zone).cloned();
    if pool.zones.is_empty() {
        return settings
            .subnets
            .values()
            .cloned()
            .map(Place::Subnet)
            .collect();
    }
    let place =
        |zone: &String| subnet(zone).map_or_else(|| Place::Zone(zone.clone()), Place::Subnet);
    pool.zones.iter().map(place).collect()
}

/// How the pool's instances are asked for, if they are spot instances.
pub(crate) fn spot(pool: &RunnerPool) -> Option<Spot> {
    let price = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let most = pool.price_ceiling_micros.map(price);
    pool.spot.then_some(Spot { most })
}

/// Whether a type's name belies the pool's processor: Graviton's families have
/// a `g` after their number.
pub(crate) fn is_other_arch(instance_type: &str, arch: Option<Arch>) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let after = family.trim_start_matches(|char: char| char.is_ascii_alphabetic());
    let suffix = after.trim_start_matches(|char: char| char.is_ascii_digit());
    let is_arm = suffix.starts_with('g') || family == "a1";
    arch.is_some_and(|arch| (arch == Arch::Arm64) != is_arm)
}

#[cfg(test)]
mod tests;
