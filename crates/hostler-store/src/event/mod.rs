//! Events: one for each change, written in the transaction that makes it.
//!
//! The log is totally ordered. Whoever writes events takes the head of the
//! log ([`head`]) last thing before committing and holds it until the commit,
//! so ids become visible in their own order, and a reader that continues
//! after the last id it saw misses nothing, with any number of writers.

pub(crate) mod head;
mod list;
pub(crate) mod row;

use hostler_core::Timestamp;
use hostler_core::id::EventId;
use serde_json::Value;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id; ids sort by the order in which events became visible.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What, such as `workload.seated`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// The project concerned; `None` for the fleet's own affairs.
    pub project: Option<String>,
    /// The id of what it happened to.
    pub subject: Option<String>,
    /// In words.
    pub text: String,
    /// Particulars, by kind.
    pub data: Value,
}

/// An event to be written, without what the transaction knows.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// What, such as `node.drained`.
    pub kind: String,
    /// The project concerned.
    pub project: Option<String>,
    /// The id of what it happened to.
    pub subject: Option<String>,
    /// In words.
    pub text: String,
    /// Particulars, by kind.
    pub data: Value,
}

/// Which events to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those of these projects.
    pub projects: Option<Vec<String>>,
    /// Only what concerns this id.
    pub subject: Option<String>,
}

/// A hint that something was committed by this process. Hints may be lost
/// (a slow receiver, another process): they wake, they never inform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The event's id.
    pub id: EventId,
    /// What happened, such as `workload.created`.
    pub kind: String,
    /// The project concerned.
    pub project: Option<String>,
    /// The id of what it happened to.
    pub subject: Option<String>,
}
