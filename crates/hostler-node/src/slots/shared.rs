//! What every part of the slots works with, and what agents' messages mean.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hostler_core::id::SlotId;
use hostler_wire::agent::{AgentPhase, CloudEvent, EventData, LogEntry, Message as _};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lease;
use super::place::Stage;
use super::record::Claims;
use super::table::Table;
use super::{SlotEvent, SlotState, SlotsOptions};
use crate::agents::{Artifact, Desk, Link};
use crate::clock::Clock;
use crate::hypervisor::Driver;
use crate::inner::Inner;

/// The parts of the slots.
pub(crate) struct Shared {
    pub(crate) options: SlotsOptions,
    pub(crate) table: Arc<Table>,
    pub(crate) vms: Driver,
    pub(crate) inner: Inner,
    pub(crate) link: Link,
    pub(crate) claims: Claims,
    pub(crate) events: mpsc::Sender<SlotEvent>,
    pub(crate) adopted: Vec<SlotId>,
    /// Wakes the keeper of the pool.
    pub(crate) wake: Notify,
    /// Why the last boot failed, until one succeeds.
    pub(crate) problem: Mutex<Option<String>>,
    /// Cancelled when no more slots are made or handed out.
    pub(crate) filling: CancellationToken,
    /// Cancelled when our tasks are to end.
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Shared {
    /// How the slot is, by its agent's own word.
    pub(crate) async fn probe(&self, slot: SlotId) -> SlotState {
        match self.table.stage(slot) {
            None | Some(Stage::Releasing) => return SlotState::Gone,
            Some(Stage::Found | Stage::Booting | Stage::Ready | Stage::Claimed) => {}
        }
        let asked = self.link.ping(slot, self.options.deadlines.ping).await;
        if let Ok(state) = &asked {
            lease::clock_note(&self.table, &self.options.clock, slot, state.clock_ms);
        }
        match asked {
            Ok(state) if state.state == AgentPhase::Idle => SlotState::Idle,
            Ok(state) => SlotState::Deployed(state),
            Err(_) if self.table.stage(slot).is_none() => SlotState::Gone,
            Err(_) => SlotState::Unreachable,
        }
    }

    /// Why the last boot failed, if no later one has succeeded.
    pub(crate) fn problem(&self) -> Option<String> {
        let problem = self.problem.lock();
        problem.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how a boot went.
    pub(crate) fn problem_set(&self, problem: Option<String>) {
        let held = self.problem.lock();
        *held.unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// Tells the reader, waiting for it if it is behind.
    pub(crate) async fn tell(&self, event: SlotEvent) {
        let told = self.events.send(event);
        // Nobody reads any more: the owner is stopping.
        let _ = self.stop.run_until_cancelled(told).await;
    }
}

/// The desk at which agents' messages arrive. It exists before the rest does,
/// because agents that outlived us speak as soon as they are connected.
pub(crate) struct FrontDesk {
    pub(crate) table: Arc<Table>,
    pub(crate) events: mpsc::Sender<SlotEvent>,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
}

impl FrontDesk {
    fn is_claimed(&self, slot: SlotId) -> bool {
        self.table.stage(slot) == Some(Stage::Claimed)
    }
}

impl Desk for FrontDesk {
    fn handshake(&self, slot: SlotId, clock_ms: Option<u64>) -> bool {
        lease::clock_note(&self.table, &self.clock, slot, clock_ms);
        self.table.handshake(slot)
    }

    fn artifact(&self, slot: SlotId, digest: &str) -> Option<Arc<Artifact>> {
        let offered = self.table.artifact(slot)?;
        (offered.digest() == digest).then_some(offered)
    }

    fn log(&self, slot: SlotId, entry: LogEntry) {
        if !self.is_claimed(slot) {
            return;
        }
        let count = self.table.lines_dropped(slot);
        if count > 0
            && self
                .events
                .try_send(SlotEvent::LogsDropped { slot, count })
                .is_err()
        {
            self.table.lines_dropped_add(slot, count);
        }
        if let Err(TrySendError::Full(_)) = self.events.try_send(SlotEvent::Log { slot, entry }) {
            metrics::counter!("hostler_node_log_lines_dropped_total").increment(1);
            self.table.lines_dropped_add(slot, 1);
        }
    }

    async fn event(&self, slot: SlotId, kind: String, body: Bytes) {
        if !self.is_claimed(slot) {
            return;
        }
        let event = match exit_code(&kind, &body) {
            Some(code) => SlotEvent::Exited {
                slot,
                code,
                ran: self.table.running_for(slot).unwrap_or(Duration::MAX),
            },
            None => SlotEvent::Event {
                slot,
                kind,
                event: body,
            },
        };
        // Nobody reads any more: the owner is stopping.
        let _ = self.stop.run_until_cancelled(self.events.send(event)).await;
    }
}

/// The code in an event that tells of a workload's end.
fn exit_code(kind: &str, body: &[u8]) -> Option<i32> {
    let event = CloudEvent::decode(body).ok()?;
    match (kind, event.typed()?) {
        ("workload_stopped", EventData::WorkloadStopped(stopped)) => Some(stopped.code),
        _ => None,
    }
}

/// The folders below a node's data folder that are ours.
pub(crate) struct Folders {
    pub(crate) slots: PathBuf,
    pub(crate) claims: PathBuf,
    pub(crate) inner: PathBuf,
}

impl Folders {
    /// Those of this data folder.
    pub(crate) fn of(data: &std::path::Path) -> Self {
        Self {
            slots: data.join("slots"),
            claims: data.join("claims"),
            inner: data.join("inner"),
        }
    }
}
