//! What goes into and comes out of a slot. All plain data.

use std::time::Duration;

use bytes::Bytes;
use hostler_core::Resources;
use hostler_core::id::SlotId;
use hostler_wire::agent::{AgentState, LogEntry};

/// What a slot must offer to what will run in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotNeed {
    /// Processor and memory it may use; zero is no limit.
    pub resources: Resources,
    /// Processes it may have; zero is no limit.
    pub pids: u32,
}

/// How a slot ended that was released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// There was no such slot any more.
    pub already_gone: bool,
    /// The agent said in time that what it ran has ended; otherwise it was killed.
    pub graceful: bool,
}

/// What can be found out about a slot now.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "made once for each question, and most are the large one"
)]
pub enum SlotState {
    /// No such slot: never was, was released, or died and was cleaned up.
    Gone,
    /// Its agent lives and did not answer in time.
    Unreachable,
    /// Its agent answers and runs nothing.
    Idle,
    /// Its agent answers and was deployed to.
    Deployed(AgentState),
}

/// How many slots there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCounts {
    /// Started, no handshake yet.
    pub booting: u32,
    /// Waiting for work.
    pub ready: u32,
    /// Handed out, the ones being released included.
    pub claimed: u32,
}

/// Something that happened in a claimed slot.
///
/// Lines and events written before an exit come before it.
#[derive(Clone, Debug)]
pub enum SlotEvent {
    /// The workload, or its agent, wrote something.
    Log {
        /// Where.
        slot: SlotId,
        /// What.
        entry: LogEntry,
    },
    /// Log lines were dropped since the last event of this slot, because
    /// they came faster than they were read.
    LogsDropped {
        /// Where.
        slot: SlotId,
        /// How many.
        count: u64,
    },
    /// The agent published an event.
    Event {
        /// Where.
        slot: SlotId,
        /// The last token of its subject, which is the event's type.
        kind: String,
        /// The `CloudEvent`, as the agent wrote it.
        event: Bytes,
    },
    /// The workload ended by itself. The slot is still claimed.
    Exited {
        /// Where.
        slot: SlotId,
        /// Its exit code; -1 when a signal ended it or it could not start.
        code: i32,
        /// How long it ran.
        ran: Duration,
    },
    /// The agent died. Nothing of the slot is left.
    Lost {
        /// Which.
        slot: SlotId,
        /// Why, in words.
        why: String,
    },
}
