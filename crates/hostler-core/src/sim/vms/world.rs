//! Everything together, tick by tick: people, passes, the network, faults, and
//! what must hold.

use std::collections::VecDeque;
use std::time::Duration;

use super::control::{Control, Deed, PLACES};
use super::machine::{Machine, Order, Said};
use super::{SETTLE, TICK, TROUBLE, VmOptions};
use crate::id::{NodeId, VmId};
use crate::node::{Beat, Timing};
use crate::sim::rng::Rng;
use crate::sim::{Invariant, Outcome, Violation};
use crate::vm::{DiskOnLoss, VmFacts, VmGoal};
use crate::workload::{OnNodeLoss, Word};
use crate::{Generation, Timestamp};

const MACHINES: usize = 3;
const VMS: u64 = 5;
/// Lines that a violation is told with.
const TAIL: usize = 24;

/// What is on its way, to or from the machine of that number.
enum Message {
    Beat(usize, Beat, Option<Duration>, Vec<Said>),
    Reply(usize, Beat, Option<Duration>),
    Order(usize, Order),
    Answer(usize, Said),
}

pub(super) struct World {
    pub(super) rng: Rng,
    seed: u64,
    pub(super) tick: u64,
    timing: Timing,
    pub(super) control: Control,
    pub(super) machines: Vec<Machine>,
    /// Until which tick a machine is cut off from the control plane.
    cut: [u64; MACHINES],
    /// Until which tick a machine's daemon is dead.
    dead: [u64; MACHINES],
    mail: Vec<(u64, Message)>,
    deeds: Vec<(u64, Deed)>,
    /// Whether something was forgotten and adopted.
    pub(super) adopted: bool,
    hash: u64,
    tail: VecDeque<String>,
}

impl World {
    pub(super) fn new(seed: u64, options: VmOptions) -> Self {
        let timing = Timing::of(Duration::from_millis(10 * TICK));
        let ids: Vec<_> = (1_u8..=3).map(|n| NodeId::from_parts(1, [n; 10])).collect();
        let machine = |id: &NodeId| Machine::new(*id, &timing, options);
        Self {
            machines: ids.iter().map(machine).collect(),
            control: Control::new(&ids, timing, options),
            rng: Rng::new(seed),
            seed,
            tick: 0,
            timing,
            cut: [0; MACHINES],
            dead: [0; MACHINES],
            mail: Vec::new(),
            deeds: Vec::new(),
            adopted: false,
            hash: seed,
            tail: VecDeque::new(),
        }
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.tick * TICK)
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_ms(0) + self.now()
    }

    fn is_calm(&self) -> bool {
        self.tick >= TROUBLE
    }

    pub(super) fn play(mut self) -> Outcome {
        let found = self.play_on();
        let found = found.or_else(|| self.judge());
        let violation = found.map(|(invariant, text)| Violation {
            invariant,
            seed: self.seed,
            step: self.tick,
            text,
            tail: self.tail.iter().cloned().collect(),
        });
        Outcome {
            steps: self.tick,
            hash: self.hash,
            violation,
        }
    }

    /// To the end, or to what must never happen.
    pub(super) fn play_on(&mut self) -> Option<(Invariant, String)> {
        let mut found = None;
        while found.is_none() && self.tick < TROUBLE + SETTLE {
            self.tick += 1;
            self.step();
            found = self.check();
        }
        found
    }

    pub(super) fn note(&mut self, text: &str) {
        for byte in text.bytes() {
            self.hash = self.hash.rotate_left(5) ^ u64::from(byte);
            self.hash = self.hash.wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        self.tail.push_back(format!("{} {text}", self.tick));
        if self.tail.len() > TAIL {
            self.tail.pop_front();
        }
    }

    fn step(&mut self) {
        if !self.is_calm() {
            self.wish();
            self.trouble();
        }
        self.forget();
        let now = self.now();
        for at in 0..MACHINES {
            self.machines[at].fence(now);
            if self.tick.is_multiple_of(10)
                && let Some((beat, span, said)) = self.machines[at].beat(now)
            {
                self.send(at, Message::Beat(at, beat, span, said));
            }
        }
        self.deliver();
        if self.tick.is_multiple_of(3) {
            for deed in self.control.look(self.wall()) {
                let late = if self.is_calm() {
                    0
                } else {
                    self.rng.within(0, 6)
                };
                self.deeds.push((self.tick + late, deed));
            }
        }
        self.carry_out();
    }

    /// People make VMs and change their minds.
    fn wish(&mut self) {
        if !self.rng.chance(8) {
            return;
        }
        let number = self.rng.within(1, VMS);
        let id = VmId::from_parts(number, [0; 10]);
        if !self.control.rows.contains_key(&id) {
            // An id is never used twice.
            let fresh =
                VmId::from_parts(number, [u8::try_from(self.tick / 8 % 256).unwrap_or(0); 10]);
            let twice = self
                .control
                .rows
                .keys()
                .any(|vm| vm.uuid().as_u128() >> 80 == id.uuid().as_u128() >> 80);
            if !twice && self.tick > 8 {
                self.make(fresh);
            }
        }
        let rows: Vec<VmId> = self.control.rows.keys().copied().collect();
        let Some(vm) = self.rng.pick(&rows) else {
            return;
        };
        let goal = [
            VmGoal::Running,
            VmGoal::Running,
            VmGoal::Stopped,
            VmGoal::Paused,
            VmGoal::Gone,
        ];
        if let Some(goal) = self.rng.pick(&goal) {
            self.want(vm, goal);
        }
    }

    fn make(&mut self, id: VmId) {
        let anew = self.rng.chance(50);
        let leased = anew || self.rng.chance(50);
        let facts = VmFacts {
            id,
            goal: VmGoal::Running,
            generation: Generation::FIRST,
            seat: None,
            seen: None,
            on_node_loss: if leased {
                OnNodeLoss::Restart
            } else {
                OnNodeLoss::Wait
            },
            disk_on_loss: if anew {
                DiskOnLoss::Fresh
            } else {
                DiskOnLoss::Keep
            },
            is_disk_lost: false,
            trashed_at: None,
        };
        self.note(&format!("made {id:?} leased {leased} anew {anew}"));
        self.control.rows.insert(id, facts);
    }

    /// As a handler does: more room on the node, or nothing.
    pub(super) fn want(&mut self, vm: VmId, goal: VmGoal) {
        let Some(row) = self.control.rows.get(&vm).copied() else {
            return;
        };
        if row.goal == VmGoal::Gone || row.goal == goal {
            return;
        }
        let wanted = VmFacts {
            goal,
            generation: row.generation.next(),
            ..row
        };
        self.control.rows.insert(vm, wanted);
        let over = row.seat.is_some_and(|node| {
            let has = self.control.nodes.get(&node).map(|(node, _)| node.capacity);
            has.is_some_and(|has| !self.control.reserved(node).fits(has))
        });
        if over {
            self.control.rows.insert(vm, row);
        } else {
            self.note(&format!(
                "{vm:?} should be {goal:?} at {:?}",
                wanted.generation
            ));
        }
    }

    fn trouble(&mut self) {
        let at = self.rng.place(MACHINES);
        if self.rng.chance(1) {
            self.cut[at] = self.tick + self.rng.within(5, 150);
            self.note(&format!("machine {at} is cut off until {}", self.cut[at]));
        }
        if self.rng.chance(1) && self.machines[at].lease.is_some() {
            self.machines[at].lease = None;
            self.dead[at] = self.tick + self.rng.within(5, 150);
            self.note(&format!("daemon {at} is dead until {}", self.dead[at]));
        }
        self.revive();
    }

    fn revive(&mut self) {
        for at in 0..MACHINES {
            let over = self.tick >= self.dead[at] || self.is_calm();
            if over && self.machines[at].lease.is_none() {
                let timing = self.timing;
                self.machines[at].start(&timing);
                self.note(&format!("daemon {at} starts"));
            }
        }
    }

    fn send(&mut self, at: usize, message: Message) {
        let calm = self.is_calm();
        let lost = !calm && (self.tick < self.cut[at] || self.rng.chance(8));
        // Some are held up for as long as it takes to do harm.
        let late = match (calm, self.rng.chance(5)) {
            (true, _) => 0,
            (false, true) => self.rng.within(10, 120),
            (false, false) => self.rng.within(0, 4),
        };
        if !lost {
            self.mail.push((self.tick + late, message));
        }
    }

    fn deliver(&mut self) {
        self.revive();
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.mail)
            .into_iter()
            .partition(|(at, _)| *at <= self.tick);
        self.mail = rest;
        for (_, message) in due {
            self.arrive(message);
        }
    }

    fn arrive(&mut self, message: Message) {
        let (now, wall) = (self.now(), self.wall());
        match message {
            Message::Beat(at, beat, span, said) => {
                let node = self.machines[at].id;
                let heard = self.control.hear(node, (beat, span, &said), wall);
                self.adopt(at, &said);
                if let Some((fence_after, orders)) = heard {
                    self.send(at, Message::Reply(at, beat, fence_after));
                    for order in orders {
                        self.send(at, Message::Order(at, order));
                    }
                }
            }
            Message::Reply(at, beat, fence_after) => {
                self.machines[at].answered(beat, fence_after, now);
            }
            Message::Order(at, order) => {
                let said = self.machines[at].ordered(order, now);
                self.note(&format!(
                    "machine {at} was told {order:?} and says {said:?}"
                ));
                if let Some(said) = said {
                    self.send(at, Message::Answer(at, said));
                }
            }
            Message::Answer(at, said) => {
                let node = self.machines[at].id;
                self.control.note(node, said, Word::Answer);
            }
        }
    }

    fn carry_out(&mut self) {
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.deeds)
            .into_iter()
            .partition(|(at, _)| *at <= self.tick);
        self.deeds = rest;
        for (_, deed) in due {
            if !matches!(deed, Deed::Send(..)) {
                self.note(&format!("{deed:?}"));
            }
            if let Some((node, order)) = self.control.carry_out(deed, self.wall())
                && let Some(at) = self.machines.iter().position(|machine| machine.id == node)
            {
                self.send(at, Message::Order(at, order));
            }
        }
    }

    /// What must hold after every tick.
    fn check(&self) -> Option<(Invariant, String)> {
        for machine in &self.machines {
            let reserved = self.control.reserved(machine.id);
            let has = crate::Resources::of(1_000 * PLACES, 64 * PLACES);
            if !reserved.fits(has) {
                return Some((
                    Invariant::Capacity,
                    format!("{:?}: {reserved:?}", machine.id),
                ));
            }
        }
        let mut all: Vec<VmId> = self
            .machines
            .iter()
            .flat_map(|m| m.disks.iter().copied())
            .collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().find_map(|vm| self.check_vm(vm))
    }

    fn check_vm(&self, vm: VmId) -> Option<(Invariant, String)> {
        let runs = self
            .machines
            .iter()
            .filter(|machine| machine.running.contains(&vm));
        if runs.count() > 1 {
            return Some((Invariant::OneInstance, format!("{vm:?} runs twice")));
        }
        let row = self.control.rows.get(&vm)?;
        let keeps = row.disk_on_loss == DiskOnLoss::Keep && row.goal != VmGoal::Gone;
        let disks = self
            .machines
            .iter()
            .filter(|machine| machine.disks.contains(&vm));
        if keeps && disks.count() > 1 {
            let text = format!("{vm:?} was given a second disk");
            return Some((Invariant::NothingForgotten, text));
        }
        None
    }

    /// What must be so in the end.
    fn judge(&self) -> Option<(Invariant, String)> {
        let converges = |text: String| Some((Invariant::Converges, text));
        for machine in &self.machines {
            if let Some(vm) = machine.disks.iter().find(|vm| !self.belongs(machine, **vm)) {
                return converges(format!("{:?} still has {vm:?}", machine.id));
            }
        }
        for row in self.control.rows.values() {
            let seat = self
                .machines
                .iter()
                .find(|machine| Some(machine.id) == row.seat);
            let runs = seat.is_some_and(|machine| machine.running.contains(&row.id));
            let wrong = match seat {
                Some(_) => runs != row.goal.is_active() || row.goal == VmGoal::Gone,
                None => row.goal == VmGoal::Gone,
            };
            if wrong {
                return converges(format!("{row:?} is not as wanted"));
            }
        }
        None
    }

    fn belongs(&self, machine: &Machine, vm: VmId) -> bool {
        let row = self.control.rows.get(&vm);
        row.is_some_and(|row| row.seat == Some(machine.id))
    }
}
