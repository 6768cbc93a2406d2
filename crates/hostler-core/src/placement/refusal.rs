//! Why no node at all could take a unit, in one sentence.

use std::fmt;

use super::host::Room;
use super::reason::cores;
use super::sight::Bar;
use crate::{Bytes, Resources};

/// How many nodes refused, each counted once, under its first reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// All nodes.
    pub nodes: usize,
    /// Those with too little processor, memory or disk free.
    pub without_room: usize,
    /// Those with every slot taken.
    pub without_slot: usize,
    /// Those without a label that is needed.
    pub without_label: usize,
    /// Those that a required affinity refuses.
    pub too_far: usize,
    /// Those that a required anti-affinity refuses.
    pub too_near: usize,
    /// Those that take no new units now.
    pub closed: usize,
    /// What the unit needs.
    pub needs: Resources,
    /// The most of each amount that is free on a node without room.
    pub most_free: Resources,
    /// The disk that the unit needs, and the most that is free on such a node.
    pub disk: (Bytes, Bytes),
}

impl Refusal {
    /// No node has been counted yet.
    pub(super) fn of(needs: Room) -> Self {
        Self {
            needs: needs.resources,
            disk: (needs.disk, Bytes::default()),
            ..Self::default()
        }
    }

    /// Counts a node with this much free that was refused for this.
    pub(super) fn count(&mut self, bar: Bar<'_>, free: Room) {
        self.nodes += 1;
        *self.counter(bar) += 1;
        if matches!(bar, Bar::Cpu { .. } | Bar::Memory { .. } | Bar::Disk { .. }) {
            let most = Room {
                resources: self.most_free,
                slots: 0,
                disk: self.disk.1,
            };
            let most = most.max(free);
            self.most_free = most.resources;
            self.disk.1 = most.disk;
        }
    }

    fn counter(&mut self, bar: Bar<'_>) -> &mut usize {
        match bar {
            Bar::Closed => &mut self.closed,
            Bar::Label { .. } => &mut self.without_label,
            Bar::NoneNear(_) => &mut self.too_far,
            Bar::SomeNear(..) => &mut self.too_near,
            Bar::Cpu { .. } | Bar::Memory { .. } | Bar::Disk { .. } => &mut self.without_room,
            Bar::Slots => &mut self.without_slot,
        }
    }

    /// What is short on the nodes without room: an amount that none of them
    /// has, or both together.
    fn shortage(&self) -> String {
        let (needs, most) = (self.needs, self.most_free);
        let cpu = (needs.cpu > most.cpu).then(|| {
            format!(
                "needs {}, {} free at most",
                cores(needs.cpu),
                cores(most.cpu)
            )
        });
        let memory = (needs.memory > most.memory)
            .then(|| format!("needs {}, {} free at most", needs.memory, most.memory));
        let (needs_disk, most_disk) = self.disk;
        let disk = (needs_disk > most_disk)
            .then(|| format!("needs {needs_disk} of disk, {most_disk} free at most"));
        let short: Vec<String> = cpu.into_iter().chain(memory).chain(disk).collect();
        if short.is_empty() && needs_disk > Bytes::default() {
            let (cpu, memory) = (cores(needs.cpu), needs.memory);
            format!("needs {cpu}, {memory} and {needs_disk} of disk together")
        } else if short.is_empty() {
            format!("needs {} and {} together", cores(needs.cpu), needs.memory)
        } else {
            short.join("; ")
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nodes == 0 {
            return f.write_str("there are no nodes");
        }
        let room = format!("without room ({})", self.shortage());
        let groups = [
            (self.without_room, room.as_str()),
            (self.without_slot, "without a free slot"),
            (self.without_label, "without a label it needs"),
            (self.too_far, "not near to what it needs"),
            (self.too_near, "too near to what it avoids"),
            (self.closed, "closed"),
        ];
        let counted = groups.iter().filter(|(number, _)| *number > 0);
        let words: Vec<String> = counted
            .map(|(number, what)| format!("{number} {what}"))
            .collect();
        let plural = if self.nodes == 1 { "node" } else { "nodes" };
        write!(f, "0 of {} {plural}: {}", self.nodes, words.join(", "))
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[track_caller]
    fn check(needs: Resources, refused: &[(Bar<'_>, Resources)], words: &str) {
        let mut refusal = Refusal::of(Room::unit(needs));
        for (bar, free) in refused {
            refusal.count(*bar, Room::unit(*free));
        }
        assert_eq!(refusal.to_string(), words);
    }

    #[test]
    fn a_refusal_is_one_sentence() {
        let needs = Resources::of(2_000, 512);
        let cpu = Bar::Cpu {
            needs: Cpu::cores(2),
            free: Cpu::default(),
        };
        let memory = Bar::Memory {
            needs: Bytes::mib(512),
            free: Bytes::default(),
        };
        let closed = (Bar::Closed, Resources::of(9_000, 9_000));
        check(needs, &[], "there are no nodes");
        check(
            needs,
            &[
                (cpu, Resources::of(500, 512)),
                (cpu, Resources::of(0, 512)),
                closed,
            ],
            "0 of 3 nodes: 2 without room (needs 2 cores, 500m free at most), 1 closed",
        );
        check(
            needs,
            &[
                (cpu, Resources::of(0, 512)),
                (memory, Resources::of(2_000, 0)),
            ],
            "0 of 2 nodes: 2 without room (needs 2 cores and 512MiB together)",
        );
        check(
            needs,
            &[(Bar::Slots, Resources::default())],
            "0 of 1 node: 1 without a free slot",
        );
    }
}
