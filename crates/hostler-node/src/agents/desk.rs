//! Whoever knows the slots: what a message from an agent means.

use std::sync::Arc;

use bytes::Bytes;
use hostler_core::id::SlotId;
use hostler_wire::agent::LogEntry;

use super::Artifact;

/// Takes what agents say. Nothing here may wait except [`Desk::event`].
pub(crate) trait Desk: Send + Sync + 'static {
    /// An agent is ready, and its clock shows this. False for one that nobody waits for; it gets no
    /// answer and gives up.
    fn handshake(&self, slot: SlotId, clock_ms: Option<u64>) -> bool;

    /// What the slot may fetch now, if it is of this digest.
    fn artifact(&self, slot: SlotId, digest: &str) -> Option<Arc<Artifact>>;

    /// A line of the workload or of its agent.
    fn log(&self, slot: SlotId, entry: LogEntry);

    /// An event; may wait for its reader.
    fn event(&self, slot: SlotId, kind: String, body: Bytes) -> impl Future<Output = ()> + Send;
}
