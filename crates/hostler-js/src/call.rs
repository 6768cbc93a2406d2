//! One message for a function, what it may use, and how it went.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::{Host, RunError};

/// One message for a function.
#[derive(Clone)]
pub struct Call<'a> {
    /// The concrete subject of the message; the first argument.
    pub subject: &'a str,
    /// The message; the second argument, as a `Uint8Array`.
    pub payload: &'a [u8],
    /// What the call may use.
    pub limits: Limits,
    /// What `hostServices` asks; without one there is no such object.
    pub host: Option<Arc<dyn Host>>,
    /// How long it may hold its thread. A call that takes longer or asks its
    /// host gives no report, and is to be begun anew without this.
    pub brief: Option<Duration>,
}

/// What a call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run, waiting for its host included.
    pub time: Duration,
    /// How much memory it may have, in bytes.
    pub memory_bytes: usize,
    /// How much it may answer, in bytes.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            memory_bytes: 128 << 20,
            output_bytes: 1 << 20,
        }
    }
}

/// How a call went.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the function returned, as JSON; or why there is no answer.
    pub answer: Result<Bytes, RunError>,
    /// The beginning of what it wrote to the console, and what it threw.
    pub lines: Vec<Line>,
    /// How long the call took.
    pub took: Duration,
}

/// Something written to the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// By which of its functions.
    pub level: Level,
    /// Its arguments, joined by blanks.
    pub text: String,
}

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `console.error`, and what was thrown.
    Error,
    /// `console.warn`.
    Warn,
    /// `console.log`, `console.info`.
    Info,
    /// `console.debug`, `console.trace`.
    Debug,
}
