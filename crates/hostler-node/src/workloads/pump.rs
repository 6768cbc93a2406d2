//! What happens in slots, passed on: ends to the task of the work in that
//! slot, logs and events to the relay.

use hostler_core::id::SlotId;
use hostler_core::workload::Exit;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Workloads;
use super::mail::Mail;
use crate::slots::SlotEvent;

/// Agents tell of the end of their work in this event as well; the one that
/// is published is made by the node, which alone knows that it is the first.
const STOPPED: &str = "workload_stopped";

/// Runs until `stop` or until the slots are gone.
pub(crate) async fn pump(
    workloads: Workloads,
    mut events: mpsc::Receiver<SlotEvent>,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => event,
        };
        match event {
            Some(event) => workloads.pass_on(event),
            None => return,
        }
    }
}

impl Workloads {
    fn pass_on(&self, event: SlotEvent) {
        let relay = &self.0.parts.relay;
        match event {
            SlotEvent::Log { slot, entry } => {
                if let Some((_, speaker)) = self.speaker_of(slot) {
                    relay.log(&speaker, entry.level.published(), entry.text);
                }
            }
            SlotEvent::LogsDropped { count, .. } => relay.logs_dropped(count),
            SlotEvent::Event { slot, kind, event } => {
                let speaker = self.speaker_of(slot).filter(|_| kind != STOPPED);
                if let Some((_, speaker)) = speaker {
                    relay.forward(&speaker, kind, event);
                }
            }
            SlotEvent::Exited { slot, code, ran } => {
                self.tell(slot, Mail::Exited(slot, Exit { code, ran }));
            }
            SlotEvent::Lost { slot, why } => self.tell(slot, Mail::Lost(slot, why)),
        }
    }

    fn tell(&self, slot: SlotId, mail: Mail) {
        if let Some((id, _)) = self.speaker_of(slot) {
            self.post(id, mail);
        }
    }
}
