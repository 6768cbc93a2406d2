//! What breaks, and when it is mended.

use super::Event;
use super::stage::Note;
use super::world::World;
use super::{MINUTE, SECOND};

/// Something that breaks, and for how many milliseconds if it mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// A manager dies, wherever it is in its work.
    ManagerDies(usize, u64),
    /// A manager stands still, then goes on where it was.
    ManagerStalls(usize, u64),
    /// A machine loses its power, and is still paid for.
    MachineDies(usize),
    /// A machine is taken away by the provider.
    MachineTaken(usize),
    /// A machine that we know loses our mark.
    TagLost(usize),
    /// A pool has nothing to give.
    Shortage(usize, u64),
}

impl World {
    /// Lets something break, and plans the next.
    pub(super) fn break_something(&mut self) {
        if self.stage.calm || self.stage.faults == 0 {
            return;
        }
        let fault = self.choose();
        self.stage.note(Note::Fault(fault));
        self.strike(fault);
        let longest = 12 * MINUTE * 50 / self.stage.faults;
        self.stage.after(5 * SECOND, longest, Event::Break);
    }

    fn choose(&mut self) -> Fault {
        let rng = &mut self.stage.rng;
        let manager = rng.place(self.managers.len());
        let machine = rng.place(self.cloud.instances.len());
        let pool = rng.place(self.store.pools.len());
        match rng.within(0, 8) {
            0 | 1 => Fault::ManagerDies(manager, rng.within(1, 90) * SECOND),
            2 => Fault::ManagerStalls(manager, rng.within(1, 120) * SECOND),
            3 | 4 => Fault::MachineDies(machine),
            5 => Fault::MachineTaken(machine),
            6 => Fault::TagLost(machine),
            _ => Fault::Shortage(pool, rng.within(1, 15) * MINUTE),
        }
    }

    fn strike(&mut self, fault: Fault) {
        let now = self.stage.now;
        match fault {
            Fault::ManagerDies(at, ms) => {
                self.managers[at].die();
                self.stage.at(now + ms, Event::Start(at));
            }
            Fault::ManagerStalls(at, ms) => self.managers[at].stalled_until = now + ms,
            Fault::MachineDies(at) if self.cloud.instances[at].pool.is_some() => {
                self.cloud.instances[at].is_dead = true;
            }
            Fault::MachineTaken(at) if self.cloud.instances[at].pool.is_some() => {
                self.cloud.gone(&mut self.stage, at);
            }
            Fault::TagLost(at) => {
                let instance = &mut self.cloud.instances[at];
                let is_known = self
                    .store
                    .runners()
                    .any(|(_, _, item)| item.id == instance.id);
                if is_known && instance.exists() {
                    instance.owner = None;
                }
            }
            Fault::Shortage(pool, ms) => self.cloud.short_until[pool] = now + ms,
            Fault::MachineDies(_) | Fault::MachineTaken(_) => (),
        }
    }

    /// A manager starts again.
    pub(super) fn start(&mut self, at: usize) {
        let manager = &mut self.managers[at];
        if !manager.is_up {
            manager.is_up = true;
            let life = manager.life;
            self.stage
                .after(1, 5 * SECOND, Event::Pass { manager: at, life });
        }
    }

    /// Mends all there is, and lets nothing break any more. Pools stay as they
    /// are: one that never gives a machine may not keep the others from it.
    pub(super) fn calm(&mut self) {
        self.stage.note(Note::Calm);
        self.stage.calm = true;
        for at in 0..self.managers.len() {
            self.managers[at].stalled_until = 0;
            self.start(at);
        }
        self.cloud
            .short_until
            .iter_mut()
            .for_each(|until| *until = 0);
    }
}
