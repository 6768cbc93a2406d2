//! Machines as bins that queued work is put into: those that are there or on
//! their way, and those that are bought for it.

use super::facts::{Life, Machine, PoolFacts, Queued, Terms};
use crate::{Resources, Timestamp};

/// What a bin stands for, in the order in which bins are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// An idle node.
    Idle,
    /// An empty node that is being drained; the place of the machine in its
    /// pool's list.
    Draining(usize),
    /// A machine on its way.
    Booting,
    /// One to be bought.
    New,
    /// One on its way or to be bought from a pool that failed lately: nobody
    /// waits for it, as it may not come either.
    Trial,
}

/// A machine with nothing on it but what is put there now.
#[derive(Clone, Debug)]
pub(super) struct Bin<'a> {
    pub(super) source: Source,
    /// Whether anything was put into it.
    pub(super) is_used: bool,
    /// Whether its removal, if any, is called off for its pool's sake.
    pub(super) is_called_back: bool,
    room: Resources,
    slots: u32,
    apart: Vec<&'a str>,
}

impl<'a> Bin<'a> {
    pub(super) fn of(source: Source, terms: &Terms) -> Self {
        Self {
            source,
            is_used: false,
            is_called_back: false,
            room: terms.machine,
            slots: terms.slots,
            apart: Vec::new(),
        }
    }

    /// Whether there will be a machine if nothing more is taken away.
    pub(super) fn stays(&self) -> bool {
        let drained = matches!(self.source, Source::Draining(_));
        !drained || self.is_used || self.is_called_back
    }

    /// Whether nothing is meant for it. Work that placement keeps off an idle
    /// node leaves it idle.
    pub(super) fn is_spare(&self) -> bool {
        self.stays() && (!self.is_used || self.source == Source::Idle)
    }

    /// Puts work into it, if there is room.
    pub(super) fn put(&mut self, work: &'a Queued) -> bool {
        let apart = work.apart.as_deref();
        let meets = apart.is_some_and(|word| self.apart.contains(&word));
        let is_trial = self.source == Source::Trial;
        if is_trial || self.slots == 0 || meets || !work.needs.fits(self.room) {
            return false;
        }
        self.is_used = true;
        self.slots -= 1;
        self.room = self.room.minus(work.needs);
        self.apart.extend(apart);
        true
    }
}

/// The bins of the machines that a pool has, in the order in which they are
/// filled: equal facts in another order give equal bins.
pub(super) fn bins<'a>(pool: &PoolFacts, is_trying: bool, now: Timestamp) -> Vec<Bin<'a>> {
    let mut machines: Vec<(Source, &Machine)> = pool
        .machines
        .iter()
        .enumerate()
        .filter_map(|(at, machine)| Some((source(at, machine, &pool.terms, now)?, machine)))
        .collect();
    let rank = |source: Source| match source {
        Source::Draining(_) => Source::Draining(0),
        other => other,
    };
    machines.sort_by_key(|(source, machine)| (rank(*source), machine.asked_at, &machine.id));
    let bin = |(source, _): &(Source, &Machine)| match source {
        Source::Booting if is_trying => Bin::of(Source::Trial, &pool.terms),
        source => Bin::of(*source, &pool.terms),
    };
    machines.iter().map(bin).collect()
}

fn source(at: usize, machine: &Machine, terms: &Terms, now: Timestamp) -> Option<Source> {
    match machine.life {
        Life::Idle(_) => Some(Source::Idle),
        Life::Draining { empty: true } => Some(Source::Draining(at)),
        Life::Booting if !machine.is_late(terms, now) => Some(Source::Booting),
        _ => None,
    }
}
