//! Everything a cluster is, behind one lock: objects, machines, time, and
//! what controllers remember.
//!
//! Requests and controllers change it in turns, each as a whole. Controllers
//! take no input: whatever wakes them, they read everything again, until
//! nothing changes any more ([`World::settle`]).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::access::Users;
use crate::catalog::{NAMESPACES, PODS, Resource};
use crate::clock::Clock;
use crate::control::{self, Memory};
use crate::fault::Faults;
use crate::json::map;
use crate::options::Options;
use crate::store::Store;

/// Counts by verb and resource.
pub(crate) type Counters = BTreeMap<(String, String), u64>;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    pub(crate) users: Users,
    pub(crate) faults: Faults,
    pub(crate) memory: Memory,
    pub(crate) counters: Counters,
    wakes: BTreeSet<DateTime<Utc>>,
    random: u64,
}

/// More turns than any chain of controllers needs; what goes on for longer
/// is a quarrel between two of them, left for the next wake-up.
const TURNS: usize = 50;

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let mut world = Self {
            store: Store::new(),
            clock: Clock::new(options.pace),
            users: Users::default(),
            faults: Faults::default(),
            memory: Memory::default(),
            counters: Counters::new(),
            wakes: BTreeSet::new(),
            random: options.seed,
            options,
        };
        let named = world.options.namespaces.clone();
        let always = ["default", "kube-system"].map(str::to_owned);
        for name in always.into_iter().chain(named) {
            world.create(&NAMESPACES, json!({"metadata": {"name": name}}));
        }
        crate::access::seed(&mut world);
        control::machines::begin(&mut world);
        world
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Writes a new object of a controller's or the cluster's own.
    pub(crate) fn create(&mut self, resource: &Resource, mut value: serde_json::Value) {
        crate::admission::complete(self, resource, &mut value);
        self.store.put(resource, value);
    }

    /// Reads, changes and writes an object; nothing when it is gone.
    pub(crate) fn change(
        &mut self,
        resource: &Resource,
        (space, name): (&str, &str),
        change: impl FnOnce(&mut serde_json::Value),
    ) {
        let Some(before) = self.store.get(resource, space, name) else {
            return;
        };
        let mut value = before.value().clone();
        change(&mut value);
        if value != *before.value() {
            self.store.put(resource, value);
        }
    }

    /// Marks a pod as deleted within a grace, or removes it when that is none
    /// or it was never bound.
    pub(crate) fn pod_delete(&mut self, space: &str, name: &str, grace: i64) {
        let Some(pod) = self.store.get(&PODS, space, name) else {
            return;
        };
        let facts = std::sync::Arc::clone(pod.pod());
        let waits = !facts.node.is_empty() && !facts.is_over();
        if grace <= 0 || !waits {
            self.store.remove(&PODS, space, name);
            return;
        }
        let until = self.now() + chrono::Duration::seconds(grace);
        if facts.deletion.is_none_or(|before| until < before) {
            self.change(&PODS, (space, name), |pod| {
                let meta = map(pod, "metadata");
                meta["deletionTimestamp"] = crate::json::moment(until);
                meta["deletionGracePeriodSeconds"] = json!(grace);
            });
        }
    }

    /// Asks for another look at a moment to come.
    pub(crate) fn wake_at(&mut self, at: DateTime<Utc>) {
        if at > self.now() {
            self.wakes.insert(at);
        }
    }

    /// When something is due next.
    pub(crate) fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.wakes.first().copied()
    }

    /// Lets time come to a moment, and everything due until then happen in
    /// its order.
    pub(crate) fn advance(&mut self, end: DateTime<Utc>) {
        self.settle();
        while let Some(next) = self.next_wake().filter(|next| *next <= end) {
            self.clock.set(next);
            self.settle();
        }
        self.clock.set(end);
        self.settle();
    }

    /// Runs the controllers until none changes anything.
    pub(crate) fn settle(&mut self) {
        let later = self.now() + chrono::TimeDelta::nanoseconds(1);
        self.wakes = self.wakes.split_off(&later);
        for _ in 0..TURNS {
            let before = self.store.version();
            control::turn(self);
            if self.store.version() == before {
                return;
            }
        }
        tracing::warn!("the controllers did not come to rest");
    }

    /// The next random number; which ones come follows from the seed.
    pub(crate) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn uid(&mut self) -> String {
        let bits = u128::from(self.random()) << 64 | u128::from(self.random());
        uuid::Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .to_string()
    }

    /// Five letters, as generated names end with.
    pub(crate) fn suffix(&mut self) -> String {
        const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut number = self.random();
        let mut letter = || {
            let index = usize::try_from(number % 27).unwrap_or_default();
            number /= 27;
            char::from(LETTERS[index])
        };
        std::iter::repeat_with(&mut letter).take(5).collect()
    }
}
