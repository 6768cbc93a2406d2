//! What must hold after every step, by what truly exists, and what must have
//! come to be in the end.

use std::collections::BTreeSet;

use super::super::Invariant;
use super::cloud::{Call, Instance, Temper};
use super::store::Store;
use super::world::World;
use super::{MINUTE, SECOND};
use crate::Resources;
use crate::id::WorkloadId;
use crate::runner::RunnerId;

/// How long a machine may be there that nobody knows of: a call, the list's
/// lag, two looks, and some releases that fail.
const ORPHANED: u64 = 8 * MINUTE;

impl World {
    /// What must hold after every call: only a call makes machines.
    pub(super) fn check_bounds(&mut self) {
        for pool in 0..self.store.pools.len() {
            let rules = &self.store.pools[pool].pool;
            let ours = |one: &&Instance| one.exists() && one.pool == Some(pool);
            let all = self.cloud.instances.iter().filter(ours);
            let booting = all.clone().filter(|one| !one.joined).count();
            let (all, strays) = (all.count(), self.cloud.strays);
            let (most, flights) = (rules.bounds.max as usize, rules.boots_at_once as usize);
            if all > most + strays || booting > flights + strays {
                let text = || {
                    format!("pool {pool} has {all} of {most}, {booting} of {flights} not joined")
                };
                self.stage.violate(Invariant::NoRunaway, text);
            }
        }
    }

    /// Nothing of ours is there for long that nobody knows of.
    pub(super) fn check_orphans(&mut self) {
        let now = self.stage.now;
        let (store, cloud) = (&self.store, &self.cloud);
        let old =
            |one: &&Instance| one.pool.is_some() && one.exists() && now > one.created + ORPHANED;
        let mut unknown: BTreeSet<RunnerId> = cloud
            .instances
            .iter()
            .filter(old)
            .map(|one| one.id.clone())
            .collect();
        for (_, _, item) in store.runners() {
            unknown.remove(&item.id);
        }
        self.orphaned.retain(|id, _| unknown.contains(id));
        for id in unknown {
            let since = *self.orphaned.entry(id.clone()).or_insert(now);
            if now >= since + ORPHANED {
                let text = || format!("{id:?} is there and nobody knows of it");
                self.stage.violate(Invariant::NothingLeft, text);
            }
        }
    }

    /// What must hold when a machine is given back: nothing is seated on it, and
    /// it was not only slow.
    pub(super) fn check_release(&mut self, call: &Call) {
        let Call::Release(id) = call else { return };
        let Some(number) = self.cloud.find(id) else {
            return;
        };
        let instance = self.cloud.instances[number].clone();
        let (Some(pool), false) = (instance.pool, instance.is_ending) else {
            return;
        };
        if let Some((node, _)) = self.store.node_of(id) {
            let seated = self.store.seated(node).count();
            if seated > 0 {
                let text = || format!("{id:?} is given back with {seated} on it");
                self.stage.violate(Invariant::NoRunaway, text);
            }
        }
        self.check_slow(&instance, pool);
    }

    /// What must hold when there is no way back any more: its pool keeps its
    /// floor. What is lost after that nobody could know.
    pub(super) fn check_floor(&mut self, id: &RunnerId) {
        let removal = self.store.removal(id);
        let Some((_, item)) = removal.filter(|(job, _)| !job.force) else {
            return;
        };
        let pool = self.store.pool_place(item);
        let min = self.store.pools[pool].pool.bounds.min as usize;
        if self.kept(pool) < min {
            let text = || format!("pool {pool} keeps fewer than {min} without {id:?}");
            self.stage.violate(Invariant::NoRunaway, text);
        }
    }

    /// Those that jobs answer for and that are not being given back. A machine
    /// that was lost without a word still counts: nobody could know.
    fn kept(&self, pool: usize) -> usize {
        let here = self
            .store
            .runners()
            .filter(|(_, _, item)| self.store.pool_place(item) == pool);
        let stays = here.filter(|(_, _, item)| {
            self.store
                .removal(&item.id)
                .is_none_or(|(job, _)| job.force)
        });
        stays.count()
    }

    fn check_slow(&mut self, instance: &Instance, pool: usize) {
        let now = self.stage.now;
        let granted = self.store.pools[pool].pool.boot_within.as_millis();
        let comes = instance.joins_at.is_some_and(|at| now < at) && !instance.is_dead;
        let known = self
            .store
            .runners()
            .any(|(_, _, item)| item.id == instance.id);
        if comes && known && u128::from(now - instance.created) < granted {
            let text = || format!("{:?} is given up while it boots", instance.id);
            self.stage.violate(Invariant::NoRunaway, text);
        }
    }

    /// Whether everything is as wanted.
    pub(super) fn settled(&self) -> Result<(), String> {
        for work in self.store.works.values().filter(|work| work.seat.is_none()) {
            if self.has_a_sound_pool(work.unit.id) {
                return Err(format!("{:?} has no seat", work.unit.id));
            }
        }
        let known: BTreeSet<&RunnerId> =
            self.store.runners().map(|(_, _, item)| &item.id).collect();
        for one in &self.cloud.instances {
            if one.pool.is_some() && one.exists() && !known.contains(&one.id) {
                return Err(format!("{:?} is left over", one.id));
            }
            if one.pool.is_none() && !one.exists() {
                return Err(format!("{:?} of somebody else is gone", one.id));
            }
        }
        self.idle()
    }

    /// No sound pool keeps idle machines beyond its floor and warm number.
    fn idle(&self) -> Result<(), String> {
        for (at, row) in self.store.pools.iter().enumerate() {
            let ours = |one: &&Instance| one.exists() && one.pool == Some(at);
            let all = self.cloud.instances.iter().filter(ours);
            let idle = all.filter(|one| {
                let node = self.store.node_of(&one.id);
                node.is_some_and(|(node, _)| self.store.seated(node).next().is_none())
            });
            let bounds = row.pool.bounds;
            let (idle, kept) = (idle.count(), (bounds.min + bounds.warm) as usize);
            let sound = matches!(self.cloud.tempers[at], Temper::Sound | Temper::Slow);
            if sound && idle > kept {
                return Err(format!("pool {at} keeps {idle} idle ones of {kept}"));
            }
        }
        Ok(())
    }

    /// Whether a pool that gives machines could still give one for this work.
    fn has_a_sound_pool(&self, work: WorkloadId) -> bool {
        let Some(work) = self.store.works.get(&work) else {
            return false;
        };
        let wanted = &work.unit.rules.node_labels;
        self.store.pools.iter().enumerate().any(|(at, row)| {
            let sound = matches!(self.cloud.tempers[at], Temper::Sound | Temper::Slow);
            let labels = &row.pool.selector;
            let suits = wanted
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value));
            sound && suits && work.unit.resources.fits(row.pool.shape) && !is_full(&self.store, at)
        })
    }
}

/// Whether a pool has all the machines that it may.
fn is_full(store: &Store, pool: usize) -> bool {
    let here = store
        .runners()
        .filter(|(_, _, item)| store.pool_place(item) == pool);
    here.count() >= store.pools[pool].pool.bounds.max as usize
}

/// What a machine of every pool has.
pub(super) const SHAPE: Resources = Resources::of(2_000, 2_048);

/// How often things are looked at in the end.
pub(super) const LOOK: u64 = 5 * SECOND;
