//! The one shape of every reply on the control API (protocol 1.2): `type`,
//! `data`, and on failure `error` with `data` an empty text.

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

use super::go_json::{self, DecodeError, Json, Message};

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyType {
    /// PING and WPING.
    Ping,
    /// INFO.
    Info,
    /// DEPLOY.
    Run,
    /// STOP.
    Stop,
    /// LAMEDUCK.
    LameDuck,
}

impl ReplyType {
    /// The `type` on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ping => "io.nats.nex.v1.ping_response",
            Self::Info => "io.nats.nex.v1.info_response",
            Self::Run => "io.nats.nex.v1.run_response",
            Self::Stop => "io.nats.nex.v1.stop_response",
            Self::LameDuck => "io.nats.nex.v1.lameduck_response",
        }
    }
}

/// Why a reply gives no data.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// The node refused; its text.
    #[error("{0}")]
    Refused(String),
    /// The reply is not one.
    #[error("cannot read the node's reply: {0}")]
    Unreadable(#[from] DecodeError),
}

#[derive(Serialize)]
struct Success<'a, T> {
    r#type: &'static str,
    data: &'a T,
}

#[derive(Serialize)]
struct Failure<'a> {
    r#type: &'static str,
    data: &'static str,
    error: &'a str,
}

/// The payload of a reply that succeeded.
pub fn success<T: Message>(kind: ReplyType, data: &T) -> Vec<u8> {
    let r#type = kind.as_str();
    // A `Message` always can be written.
    go_json::to_vec(&Success { r#type, data }).unwrap_or_default()
}

/// The payload of a reply that failed.
pub fn failure(kind: ReplyType, error: &str) -> Vec<u8> {
    let r#type = kind.as_str();
    let data = "";
    // Three texts always can be written.
    go_json::to_vec(&Failure {
        r#type,
        data,
        error,
    })
    .unwrap_or_default()
}

/// The data of a reply. Any `error` that is not null is a failure, whatever
/// its JSON type; `type` is not looked at.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, ReplyError> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        #[serde(default = "null")]
        data: Json,
        #[serde(default = "null")]
        error: Json,
    }
    let envelope: Envelope = go_json::from_slice(payload)?;
    match envelope.error {
        Json::Null => {}
        Json::Text(text) => return Err(ReplyError::Refused(text)),
        other => return Err(ReplyError::Refused(as_text(other))),
    }
    T::deserialize(envelope.data).map_err(|error| DecodeError::Shape(error).into())
}

fn null() -> Json {
    Json::Null
}

fn as_text(json: Json) -> String {
    serde_json::Value::deserialize(json)
        .map(|value| value.to_string())
        .unwrap_or_default()
}
