//! What is said of a piece of work: its line for the control plane, and the
//! end of each of its starts, once.

use hostler_core::id::SlotId;
use hostler_wire::nats::EventData;
use hostler_wire::nats::event::{STOP_MESSAGE, WorkloadStopped};
use hostler_wire::node_api::Entry;

use super::task::Task;
use super::{lock, steps};
use crate::relay::Speaker;

impl Task {
    /// What the node says of it now.
    pub(super) fn entry(&self) -> Entry {
        Entry {
            id: self.course.work.id,
            generation: self.course.work.generation,
            state: self.course.state(),
            slot: self.course.work.slot.map(|slot| slot.to_string()),
            restarts: self.course.work.restarts,
            problem: self.course.problem(),
        }
    }

    /// Says once for each start that it has ended.
    pub(super) fn tell_stopped(
        &mut self,
        code: i32,
        message: impl FnOnce(&str, &str, i32) -> String,
    ) {
        if !std::mem::take(&mut self.started) {
            return;
        }
        if let Some(speaker) = self.speaker() {
            let (name, slot) = (speaker.name.to_string(), speaker.slot.to_string());
            let message = message(&name, &slot, code);
            let data = WorkloadStopped {
                workload_name: name,
                code,
                message,
            };
            let relay = &self.parts.relay;
            relay.workload_event(&speaker, EventData::WorkloadStopped(data));
        }
    }

    /// The end that somebody ordered, or that the lease brought.
    pub(super) fn tell_released(&mut self) {
        if self.course.work.fenced {
            let why = self.course.problem.clone().unwrap_or_default();
            self.tell_stopped(-1, |_, _, _| why);
        } else {
            self.tell_stopped(0, |_, _, _| STOP_MESSAGE.to_owned());
        }
    }

    fn speaker(&self) -> Option<Speaker> {
        let plan = self.course.work.plan.as_ref()?;
        Some(steps::speaker(plan, self.course.last_slot?))
    }

    pub(super) fn speaker_set(&self, slot: SlotId) {
        if let Some(speaker) = self.speaker() {
            let id = self.course.work.id;
            lock(&self.workloads.0.speakers).insert(slot, (id, speaker));
        }
    }

    pub(super) fn speaker_drop(&self) {
        if let Some(slot) = self.course.work.slot {
            lock(&self.workloads.0.speakers).remove(&slot);
        }
    }
}
