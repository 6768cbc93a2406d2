//! What breaks, and when it is mended.

use super::Event;
use super::network::End;
use super::world::World;

/// Something that breaks, and for how many milliseconds if it mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// Nothing gets from one to the other, while it may the other way round.
    Cut(End, End, u64),
    /// A machine hears no control plane, and a little later is not heard.
    Fades(usize, u64),
    /// A machine reaches no control plane, and none reaches it.
    Part(usize, u64),
    /// A control plane dies, wherever it is in its work.
    ControlDies(usize, u64),
    /// A control plane stands still, then goes on where it was.
    ControlStalls(usize, u64),
    /// A node daemon dies.
    DaemonDies(usize, u64),
    /// A node daemon dies and leaves a ledger that cannot be read.
    LedgerTears(usize, u64),
    /// A node daemon stands still; agents do not.
    DaemonStalls(usize, u64),
    /// A machine loses power, and perhaps its disk.
    PowerFails(usize, bool, u64),
    /// The network as a whole becomes this bad, 0 to 100.
    Weather(u64),
}

/// Something that is whole again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mend {
    /// A way from one to the other.
    Way(End, End),
    /// A control plane starts.
    Control(usize),
    /// A node daemon starts.
    Daemon(usize),
    /// A machine has power.
    Power(usize),
}

impl World {
    /// Lets something break, and plans the next.
    pub(super) fn break_something(&mut self) {
        if self.stage.calm || self.faults == 0 {
            return;
        }
        let fault = self.choose();
        self.strike(fault);
        self.stage.after(100, self.respite, Event::Break);
    }

    fn choose(&mut self) -> Fault {
        let rng = &mut self.stage.rng;
        let machine = rng.place(self.machines.len());
        let control = rng.place(self.controls.len());
        let (there, here) = (End::Machine(machine), End::Control(control));
        let short = rng.within(50, 2_500);
        // Silence that is just about as long as a lease is the most telling.
        let long = if rng.chance(40) {
            rng.within(4_000, 6_500)
        } else {
            rng.within(1_000, 12_000)
        };
        match rng.within(0, 13) {
            0 => Fault::Cut(there, here, long),
            1 => Fault::Cut(here, there, long),
            2 => Fault::Fades(machine, long),
            3 => Fault::Part(machine, long),
            4 | 5 => Fault::ControlDies(control, short),
            6 => Fault::ControlStalls(control, long),
            7 => Fault::DaemonDies(machine, short),
            8 => Fault::DaemonDies(machine, long),
            9 => Fault::DaemonStalls(machine, long),
            10 => Fault::PowerFails(machine, rng.chance(25), long),
            11 => Fault::LedgerTears(machine, short),
            _ => Fault::Weather(rng.within(0, self.faults)),
        }
    }

    /// Lets this break, unless faults are over.
    pub(super) fn strike(&mut self, fault: Fault) {
        if self.stage.calm {
            return;
        }
        let now = self.stage.now;
        self.stage.note(super::trace::Note::Fault(fault));
        match fault {
            Fault::Cut(from, to, ms) => self.cut(from, to, ms),
            Fault::Fades(machine, ms) => {
                for control in 0..self.controls.len() {
                    self.cut(End::Control(control), End::Machine(machine), ms);
                }
                let part = Event::Strike(Fault::Part(machine, ms));
                self.stage.after(500, 2_000, part);
            }
            Fault::Part(machine, ms) => {
                for control in 0..self.controls.len() {
                    self.cut(End::Machine(machine), End::Control(control), ms);
                    self.cut(End::Control(control), End::Machine(machine), ms);
                }
            }
            Fault::ControlDies(at, ms) => {
                let control = &mut self.controls[at];
                control.up = false;
                control.life += 1;
                self.stage.at(now + ms, Event::Mend(Mend::Control(at)));
            }
            Fault::ControlStalls(at, ms) => self.controls[at].stalled_until = now + ms,
            Fault::DaemonDies(at, ms) => {
                self.machines[at].daemon_kill();
                self.stage.at(now + ms, Event::Mend(Mend::Daemon(at)));
            }
            Fault::LedgerTears(at, ms) => {
                self.machines[at].daemon_kill();
                self.machines[at].ledger_tear(&self.stage);
                self.stage.at(now + ms, Event::Mend(Mend::Daemon(at)));
            }
            Fault::DaemonStalls(at, ms) => self.machines[at].stalled_until = now + ms,
            Fault::PowerFails(at, disk_lost, ms) => {
                if disk_lost {
                    self.abandon(at);
                }
                self.machines[at].power_off(disk_lost);
                self.stage.at(now + ms, Event::Mend(Mend::Power(at)));
            }
            Fault::Weather(trouble) => self.stage.network.trouble = trouble,
        }
    }

    /// The machine's identity is lost with its disk.
    fn abandon(&mut self, at: usize) {
        let node = self.machines[at].disk.node;
        if let Some(node) = node.and_then(|node| self.store.nodes.get_mut(&node)) {
            node.abandoned = true;
        }
    }

    fn cut(&mut self, from: End, to: End, ms: u64) {
        self.stage.network.cut(from, to);
        let healed = self.stage.now + ms;
        self.stage.at(healed, Event::Mend(Mend::Way(from, to)));
    }

    /// Makes something whole again, if it is not.
    pub(super) fn mend(&mut self, mend: Mend) {
        match mend {
            Mend::Way(from, to) => self.stage.network.heal(from, to),
            Mend::Control(at) => {
                let control = &mut self.controls[at];
                if !control.up {
                    control.up = true;
                    let life = control.life;
                    self.stage.after(1, 300, Event::Pass { control: at, life });
                }
            }
            Mend::Power(at) => {
                self.machines[at].powered = true;
                self.mend(Mend::Daemon(at));
            }
            Mend::Daemon(at) => {
                let machine = &mut self.machines[at];
                if machine.powered && machine.daemon.is_none() {
                    if machine.disk.node.is_none() {
                        let node = self.store.node_register(machine.capacity, at);
                        machine.join(&mut self.stage, node);
                    }
                    machine.daemon_start(&mut self.stage);
                }
            }
        }
    }

    /// Mends all there is, and lets nothing break any more.
    pub(super) fn calm(&mut self) {
        self.stage.note(super::trace::Note::Calm);
        self.stage.calm = true;
        self.stage.network.mend();
        for at in 0..self.controls.len() {
            self.controls[at].stalled_until = 0;
            self.mend(Mend::Control(at));
        }
        for at in 0..self.machines.len() {
            self.machines[at].stalled_until = 0;
            self.mend(Mend::Power(at));
        }
    }
}
