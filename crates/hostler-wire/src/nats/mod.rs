//! The NATS side of a node (protocol, sections 1 to 4): the `$NEX` control API, the
//! event and log feeds, and the cryptography under them.
//!
//! Bodies are written as the original writes them (member order, omissions,
//! escapes) and read as the original reads them (any case of a key, unknown
//! keys ignored, `null` for nothing). Where the two differ on purpose, the
//! function says so.

pub mod deploy;
pub mod envelope;
pub mod event;
pub mod go_json;
pub mod info;
pub mod jwt;
pub mod lameduck;
pub mod log;
pub mod nkey;
pub mod ping;
pub mod server;
pub mod stop;
pub mod subject;
pub mod uptime;
pub mod xkey;

pub use deploy::{DeployRefusal, DeployReply, DeployRequest, Location, NewDeploy};
pub use envelope::{ReplyError, ReplyType};
pub use event::{CloudEvent, EventData};
pub use go_json::{DecodeError, Message};
pub use info::InfoReply;
pub use jwt::{Claims, JwtError};
pub use lameduck::{LameDuckRefusal, LameDuckReply};
pub use log::{LogLevel, LogPayload};
pub use ping::{PingReply, WorkloadFilter, WorkloadPingReply};
pub use stop::{StopRefusal, StopReply, StopRequest};
pub use subject::{Control, TriggerSubject};
pub use uptime::uptime_text;
