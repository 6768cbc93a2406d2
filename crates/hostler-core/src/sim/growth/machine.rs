//! Machines: they boot, join as nodes, send heartbeats, and stop doing so.

use super::Event;
use super::cloud::{InstanceNumber, Temper};
use super::look::HEARTBEAT;
use super::stage::Note;
use super::world::World;
use super::{MINUTE, SECOND};

impl World {
    /// A machine has booted. It joins, unless it is being given back, or nobody
    /// knows of it: it would be swept with work on it.
    pub(super) fn boot(&mut self, number: InstanceNumber) {
        let instance = &mut self.cloud.instances[number];
        let Some(pool) = instance.pool else { return };
        let id = instance.id.clone();
        let is_known = self.store.runners().any(|(_, _, item)| item.id == id);
        let is_welcome = is_known && !self.store.is_final(&id);
        if !instance.exists() || instance.is_dead || !is_welcome {
            return;
        }
        instance.joined = true;
        let node = self.store.node_register(&self.stage, &id, pool);
        self.stage.note(Note::Joined(id, node));
        self.stage.after(0, HEARTBEAT, Event::Beat(number));
    }

    /// A heartbeat, heard if the machine is in the mood and still a node.
    pub(super) fn beat(&mut self, number: InstanceNumber) {
        let instance = &self.cloud.instances[number];
        if !instance.exists() || instance.is_dead {
            return;
        }
        let Some((node, _)) = self.store.node_of(&instance.id) else {
            return;
        };
        let temper = instance.pool.map(|pool| self.cloud.tempers[pool]);
        if let Some(row) = self.store.nodes.get_mut(&node) {
            row.last_heard = self.stage.wall();
        }
        let silent = temper == Some(Temper::Flapping) && self.stage.rng.chance(12);
        let pause = match silent {
            true => self.stage.rng.within(MINUTE, 15 * MINUTE),
            false if self.stage.trouble(2) => self.stage.rng.within(30 * SECOND, 3 * MINUTE),
            false => HEARTBEAT,
        };
        self.stage.at(self.stage.now + pause, Event::Beat(number));
    }
}
