//! Events as they travel on `$NEX.events`, in the form of `CloudEvents` 1.0
//! (protocol 4.1, 4.2).
//!
//! Written with keys in alphabetical order. An agent's event is forwarded as
//! the bytes it came in, so its reader must accept any order, and events
//! without the optional members.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::go_json::{self, Message};

/// The namespace of events that concern a node as a whole.
pub const SYSTEM_NAMESPACE: &str = "system";

/// An event with its data, [`EventData`] to write and any JSON to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent<D = Value> {
    /// What there is to say, by type.
    #[serde(
        default = "Default::default",
        bound(deserialize = "D: Default + Deserialize<'de>")
    )]
    pub data: D,
    /// `application/json`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub datacontenttype: String,
    /// Unique together with the source.
    #[serde(default)]
    pub id: String,
    /// The node's public key, or the slot of an agent.
    #[serde(default)]
    pub source: String,
    /// `1.0`.
    #[serde(default)]
    pub specversion: String,
    /// When it happened.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "go_json::time::option"
    )]
    pub time: Option<DateTime<Utc>>,
    /// What happened: the last token of the subject.
    #[serde(default)]
    pub r#type: String,
}

impl Message for CloudEvent {}

impl CloudEvent<EventData> {
    /// An event of now.
    pub fn new(source: &str, id: Uuid, time: DateTime<Utc>, data: EventData) -> Self {
        Self {
            r#type: data.event_type().to_owned(),
            data,
            datacontenttype: "application/json".to_owned(),
            id: id.to_string(),
            source: source.to_owned(),
            specversion: "1.0".to_owned(),
            time: Some(time),
        }
    }

    /// The event as bytes.
    pub fn encode(&self) -> Vec<u8> {
        // Texts, numbers and maps with text keys always can be written.
        go_json::to_vec(self).unwrap_or_default()
    }
}

impl CloudEvent {
    /// The data in its type, where the type is known and the data has it.
    pub fn typed(&self) -> Option<EventData> {
        EventData::read(&self.r#type, &self.data)
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// What events say, by type (protocol 4.2).
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum EventData {
            $($(#[$doc])* $variant($variant)),*
        }

        impl EventData {
            /// The `type` of the event, and the last token of its subject.
            pub const fn event_type(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name),*
                }
            }

            fn read(event_type: &str, data: &Value) -> Option<Self> {
                let bytes = data.to_string();
                match event_type {
                    $($name => go_json::from_slice(bytes.as_bytes()).ok().map(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

events! {
    /// A node is ready.
    NodeStarted = "node_started",
    /// A node lives; every 30 seconds.
    Heartbeat = "heartbeat",
    /// A node takes no new work.
    NodeEnteredLameDuck = "node_entered_lameduck",
    /// A node has stopped in good order.
    NodeStopped = "node_stopped",
    /// A workload runs.
    WorkloadStarted = "workload_started",
    /// A workload has ended, was stopped, or did not start.
    WorkloadStopped = "workload_stopped",
    /// A function has answered.
    FunctionExecSucceeded = "function_exec_succeeded",
    /// A function has not answered.
    FunctionExecFailed = "function_exec_failed",
}

/// Data of `node_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeStarted {
    /// The node's version.
    pub version: String,
    /// The node's public key.
    pub id: String,
}

/// Data of `heartbeat`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heartbeat {
    /// The node's version.
    pub version: String,
    /// The node's public key.
    pub node_id: String,
    /// As [`super::uptime_text`].
    pub uptime: String,
    /// Effective tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Agents that have a workload.
    pub running_machines: u64,
}

/// Data of `node_entered_lameduck`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeEnteredLameDuck {
    /// The node's version.
    pub version: String,
    /// The node's public key.
    pub id: String,
}

/// Data of `node_stopped`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeStopped {
    /// The node's public key.
    pub id: String,
    /// Always true.
    pub graceful: bool,
}

/// Data of `workload_started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkloadStarted {
    /// The workload's name.
    pub workload_name: String,
    /// Always 0.
    pub code: i32,
}

/// Data of `workload_stopped`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkloadStopped {
    /// The workload's name.
    pub workload_name: String,
    /// The exit code; -1 after a signal or a failed start; 0 after a STOP.
    pub code: i32,
    /// In words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Data of `function_exec_succeeded`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionExecSucceeded {
    /// The function's name.
    pub workload_name: String,
    /// The subscribed pattern, not the subject of the message.
    pub trigger_subject: String,
    /// How long it has computed.
    pub elapsed_nanos: i64,
    /// The function's namespace.
    pub namespace: String,
}

/// Data of `function_exec_failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionExecFailed {
    /// The function's name.
    pub workload_name: String,
    /// The subscribed pattern, not the subject of the message.
    pub trigger_subject: String,
    /// The function's namespace.
    pub namespace: String,
    /// Why.
    pub error: String,
}

/// The message of `workload_stopped` for a workload that ended by itself.
pub fn exited_message(name: &str, slot: &str, code: i32) -> String {
    format!("Exited workload: {name}; vm: {slot}; status: {code}")
}

/// The message of `workload_stopped` for a workload that did not start.
pub fn start_failed_message(name: &str, slot: &str) -> String {
    format!("Failed to start workload: {name}; vm: {slot}")
}

/// The message of `workload_stopped` for a workload that somebody stopped.
pub const STOP_MESSAGE: &str = "Workload shutdown requested";
