//! Typed clients: of the control plane, and of a node.
//!
//! A call is one request: nothing is sent again here, since only the caller
//! knows whether it may be. Every call has a deadline except those that carry
//! an artifact or follow a stream; these end when the connection does.

mod console;
mod control;
mod error;
mod http;
mod node;
mod sse;

pub use console::{Console, ConsoleKind};
pub use control::ControlClient;
pub use error::{ClientError, Transport};
pub use http::ByteStream;
pub use node::NodeClient;
pub use reqwest::{Body, StatusCode};
pub use sse::{EventStream, SseError, SseEvent, SseParser};
