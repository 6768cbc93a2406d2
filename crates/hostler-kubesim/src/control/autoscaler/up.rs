//! Growing: pods without a node are put on machines that are on their way,
//! then on imagined new ones of the first pool that suits and has room left.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::size;
use crate::catalog::PODS;
use crate::control::facts::{NodeFacts, PodFacts, Wants};
use crate::control::machines;
use crate::control::scene::Scene;
use crate::control::scheduler::{Seat, Spaces, fits, spaces};
use crate::options::Pool;
use crate::record::{self, Said};
use crate::world::World;

/// A machine that has no node after this long is given up.
const PROVISION: TimeDelta = TimeDelta::minutes(15);

pub(crate) fn turn(world: &mut World, scene: &Scene) {
    give_up(world, scene);
    let pending = scene
        .pods
        .iter()
        .filter(|pod| pod.unschedulable && pod.node.is_empty() && pod.deletion.is_none());
    let pending: Vec<_> = pending.map(Arc::clone).collect();
    if pending.is_empty() {
        return;
    }
    let mut plan = Plan::new(world, scene);
    let mut helped = BTreeMap::new();
    for pod in &pending {
        match plan.place(world, pod) {
            Placed::OnItsWay => {}
            Placed::New(pool) => helped
                .entry(pool)
                .or_insert_with(Vec::new)
                .push(Arc::clone(pod)),
            Placed::Nowhere(why) => say(world, pod, "NotTriggerScaleUp", why),
        }
    }
    for (pool, pods) in helped {
        grow(world, &plan.pools[pool], plan.new[pool], &pods);
    }
}

/// Machines that never came are given back, and their pool left alone.
fn give_up(world: &mut World, scene: &Scene) {
    let now = world.now();
    for (name, machine) in world.memory.machines.clone() {
        let came = scene
            .nodes
            .get(&name)
            .is_some_and(|node| node.ready == Some(true));
        if came || machine.registered || now - machine.asked < PROVISION {
            continue;
        }
        machines::give_back(world, &name);
        back_off(world, &machine.pool);
    }
}

fn back_off(world: &mut World, pool: &str) {
    let until = world.now() + world.options.timings.back_off;
    world.memory.backed_off.insert(pool.to_owned(), until);
    world.wake_at(until);
}

enum Placed {
    OnItsWay,
    New(usize),
    Nowhere(String),
}

/// Machines on their way and new ones, with the pods they would take.
struct Plan {
    pools: Vec<Pool>,
    like: Vec<Arc<NodeFacts>>,
    seats: Vec<Seat>,
    /// The pool of each seat that is new.
    new_of: Vec<Option<usize>>,
    new: Vec<usize>,
    spaces: Spaces,
    /// Seats before this one have no room for who wants this: pods only come.
    full: BTreeMap<Wants, usize>,
}

impl Plan {
    fn new(world: &World, scene: &Scene) -> Self {
        let pools = world.options.pools.clone();
        let imagine = |(index, pool): (usize, &Pool)| {
            let node = machines::node(&format!("template-{index}"), pool, "");
            Arc::new(NodeFacts::read(&node))
        };
        let like: Vec<_> = pools.iter().enumerate().map(imagine).collect();
        let mut plan = Self {
            new: vec![0; pools.len()],
            new_of: Vec::new(),
            seats: Vec::new(),
            spaces: spaces(world),
            full: BTreeMap::new(),
            pools,
            like,
        };
        for (name, machine) in &world.memory.machines {
            let ready = scene
                .nodes
                .get(name)
                .is_some_and(|node| node.ready == Some(true));
            let gone = machine.registered && !scene.nodes.contains_key(name);
            if !ready && !gone && machine.died.is_none() {
                plan.expect(&machine.pool);
            }
        }
        plan
    }

    fn expect(&mut self, pool: &str) {
        if let Some(index) = self.pools.iter().position(|one| one.name == pool) {
            self.seats.push(Seat::empty(&self.like[index]));
            self.new_of.push(None);
        }
    }

    fn place(&mut self, world: &World, pod: &Arc<PodFacts>) -> Placed {
        let from = self.full.get(&pod.wants).copied().unwrap_or(0);
        let free = |index: &usize| fits(&pod.wants, *index, &self.seats, &self.spaces).is_ok();
        let found = (from..self.seats.len()).find(free);
        let end = found.unwrap_or(self.seats.len());
        self.full.insert(pod.wants.clone(), end);
        if let Some(index) = found {
            self.seats[index].take(pod);
            return self.new_of[index].map_or(Placed::OnItsWay, Placed::New);
        }
        let mut why: BTreeMap<String, usize> = BTreeMap::new();
        for pool in 0..self.pools.len() {
            match self.refusal(world, pod, pool) {
                None => {
                    let mut seat = Seat::empty(&self.like[pool]);
                    seat.take(pod);
                    self.seats.push(seat);
                    self.new_of.push(Some(pool));
                    self.new[pool] += 1;
                    return Placed::New(pool);
                }
                Some(word) => *why.entry(word).or_default() += 1,
            }
        }
        let words: Vec<String> = why
            .iter()
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        Placed::Nowhere(format!("pod didn't trigger scale-up: {}", words.join(", ")))
    }

    /// Why a pool cannot grow for a pod.
    fn refusal(&self, world: &World, pod: &Arc<PodFacts>, index: usize) -> Option<String> {
        let pool = &self.pools[index];
        let empty = [Seat::empty(&self.like[index])];
        if let Err(why) = fits(&pod.wants, 0, &empty, &self.spaces) {
            return why.words().into_iter().next();
        }
        let backed_off = world.memory.backed_off.get(&pool.name);
        if backed_off.is_some_and(|until| *until > world.now()) {
            return Some("in backoff after failed scale-up".to_owned());
        }
        let full = size(world, &pool.name) + self.new[index] >= pool.max;
        full.then(|| "max node group size reached".to_owned())
    }
}

fn grow(world: &mut World, pool: &Pool, more: usize, pods: &[Arc<PodFacts>]) {
    if pool.sold_out {
        back_off(world, &pool.name);
        return;
    }
    let before = size(world, &pool.name);
    for _ in 0..more {
        machines::ask(world, pool);
    }
    let after = before + more;
    let (name, max) = (&pool.name, pool.max);
    for pod in pods {
        let message =
            format!("pod triggered scale-up: [{{{name} {before}->{after} (max: {max})}}]");
        say(world, pod, "TriggeredScaleUp", message);
    }
}

fn say(world: &mut World, pod: &PodFacts, reason: &str, message: String) {
    let said = Said {
        by: "cluster-autoscaler",
        reason,
        message,
        warning: false,
    };
    if let Some(found) = world.store.get(&PODS, &pod.space, &pod.name) {
        let about = Arc::clone(found);
        record::event(world, about.value(), &said);
    }
}
