//! What is to be seen of one node with the eyes of one unit. Every answer of
//! the scheduler, quick or explained, comes from the questions asked here.

use super::host::{Host, Room};
use super::policy::Policy;
use super::reason::{Meant, Reason};
use super::rules::Unit;
use super::score::{Score, Soft};
use super::shape::{Near, Shape, Term};
use super::tally::Tally;
use super::yard::Yard;
use crate::{Bytes, Cpu, Labels};

/// The facts.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) yard: &'a Yard,
    pub(super) tally: &'a Tally,
    pub(super) policy: Policy,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) shape: &'a Shape,
    pub(super) need: Room,
}

/// What refuses a node: a [`Reason`] before it is put into words.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bar<'a> {
    Closed,
    Label {
        key: &'a str,
        wanted: &'a str,
        has: Option<&'a str>,
    },
    NoneNear(Term),
    SomeNear(Term, u32),
    Cpu {
        needs: Cpu,
        free: Cpu,
    },
    Memory {
        needs: Bytes,
        free: Bytes,
    },
    Disk {
        needs: Bytes,
        free: Bytes,
    },
    Slots,
}

impl<'a> Ask<'a> {
    pub(super) fn new(unit: &Unit, shape: &'a Shape) -> Self {
        Self {
            shape,
            need: Room::of(unit),
        }
    }
}

impl<'a> Sight<'a> {
    /// How many units of a term are in the node's domain.
    pub(super) fn at_host(self, host: usize) -> impl Fn(Term) -> Option<u32> + 'a {
        move |term| {
            let domain = self.yard.domain(host, term.topology)?;
            Some(self.tally.census(term.census).counts.get(domain))
        }
    }

    /// Whether a required affinity is exempt: it means the unit's own kind,
    /// and there is none of it anywhere.
    pub(super) fn is_waived(self, near: &Near) -> bool {
        near.own && self.tally.census(near.term.census).total == 0
    }

    /// The wishes of all terms about a node.
    pub(super) fn soft(self, shape: &Shape, host: usize) -> Soft {
        let fine = shape.fine.soft(shape.home, self.at_host(host));
        fine.plus(shape.coarse.soft(None, self.at_host(host)))
    }

    /// The node's score, if it could take the unit.
    pub(super) fn score(self, ask: Ask<'a>, at: usize) -> Option<Score> {
        let host = self.yard.host(at)?;
        if self.bars(ask, at, host).next().is_some() {
            return None;
        }
        let soft = self.soft(ask.shape, at);
        Some(Score::new(soft, host.rank(self.policy), host.place.id))
    }

    /// The best score among these nodes.
    pub(super) fn best_of(
        self,
        ask: Ask<'a>,
        hosts: impl IntoIterator<Item = usize>,
    ) -> Option<Score> {
        let scores = hosts.into_iter().filter_map(|at| self.score(ask, at));
        scores.min()
    }

    /// Everything that refuses the node, what concerns it alone first and the
    /// room last; nothing, if it could take the unit.
    pub(super) fn bars(
        self,
        ask: Ask<'a>,
        at: usize,
        host: &'a Host,
    ) -> impl Iterator<Item = Bar<'a>> {
        let closed = (!host.place.open).then_some(Bar::Closed);
        let labels = labels(&ask.shape.node_labels, &host.place.labels);
        let others = self.others(ask.shape, at);
        let room = room(ask.need, host.free());
        closed.into_iter().chain(labels).chain(others).chain(room)
    }

    /// What refuses the node because of the units around it.
    fn others(self, shape: &'a Shape, at: usize) -> impl Iterator<Item = Bar<'a>> {
        let terms = [&shape.fine, &shape.coarse];
        let near = terms.into_iter().flat_map(|terms| &terms.near);
        let far = terms.into_iter().flat_map(|terms| &terms.far);
        let none = near.filter_map(move |near| {
            let count = self.at_host(at)(near.term);
            let met = count.is_some_and(|count| count > 0 || self.is_waived(near));
            (!met).then_some(Bar::NoneNear(near.term))
        });
        let some = far.filter_map(move |term| {
            let number = self.at_host(at)(*term).filter(|number| *number > 0)?;
            Some(Bar::SomeNear(*term, number))
        });
        none.chain(some)
    }

    /// Everything that refuses the node, in words.
    pub(super) fn reasons(self, ask: Ask<'a>, at: usize, host: &'a Host) -> Vec<Reason> {
        let reason = |bar| match bar {
            Bar::Closed => Reason::Closed,
            Bar::Label { key, wanted, has } => Reason::Label {
                key: key.to_owned(),
                wanted: wanted.to_owned(),
                has: has.map(str::to_owned),
            },
            Bar::NoneNear(term) => Reason::NoneNear(self.meant(term)),
            Bar::SomeNear(term, number) => Reason::SomeNear(self.meant(term), number),
            Bar::Cpu { needs, free } => Reason::Cpu { needs, free },
            Bar::Memory { needs, free } => Reason::Memory { needs, free },
            Bar::Disk { needs, free } => Reason::Disk { needs, free },
            Bar::Slots => Reason::Slots(host.promise.slots),
        };
        self.bars(ask, at, host).map(reason).collect()
    }

    fn meant(self, term: Term) -> Meant {
        Meant {
            labels: Labels::clone(&self.tally.census(term.census).labels),
            topology: self.yard.topology_label(term.topology).map(str::to_owned),
        }
    }

    /// Where a possible node stands.
    pub(super) fn standing(self, shape: &Shape, at: usize, host: &Host) -> Vec<Reason> {
        let soft = self.soft(shape, at);
        let spread = shape.fine.spread.or(shape.coarse.spread);
        let label = spread.and_then(|term| self.yard.topology_label(term.topology));
        let crowd = match (label, soft.crowd) {
            (_, 0) => None,
            (Some(label), u32::MAX) => Some(Reason::NoDomain(label.to_owned())),
            (_, number) => Some(Reason::Crowd(number)),
        };
        let unmet = (soft.unmet > 0).then_some(Reason::Unmet(soft.unmet));
        let stranger = soft.stranger.then_some(Reason::Stranger);
        let load = Reason::Load(host.load() / 10_000);
        let reasons = unmet.into_iter().chain(crowd).chain(stranger);
        reasons.chain([load]).collect()
    }
}

fn labels<'a>(wanted: &'a Labels, held: &'a Labels) -> impl Iterator<Item = Bar<'a>> {
    wanted.iter().filter_map(|(key, wanted)| {
        let has = held.get(key).map(String::as_str);
        (has != Some(wanted)).then_some(Bar::Label { key, wanted, has })
    })
}

fn room<'a>(need: Room, free: Room) -> impl Iterator<Item = Bar<'a>> {
    let (needs, has) = (need.resources, free.resources);
    let cpu = (has.cpu < needs.cpu).then_some(Bar::Cpu {
        needs: needs.cpu,
        free: has.cpu,
    });
    let memory = (has.memory < needs.memory).then_some(Bar::Memory {
        needs: needs.memory,
        free: has.memory,
    });
    let slots = (free.slots < need.slots).then_some(Bar::Slots);
    let disk = (free.disk < need.disk).then_some(Bar::Disk {
        needs: need.disk,
        free: free.disk,
    });
    cpu.into_iter().chain(memory).chain(disk).chain(slots)
}
