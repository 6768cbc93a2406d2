//! What a function returned, as the bytes of a reply; and what it threw, as a
//! text.
//!
//! The reply is the JSON of the value, and the bare text `undefined` for what
//! has none. A promise is waited for. An `ArrayBuffer`, whose JSON says
//! nothing, is sent as the bytes that it holds.

use bytes::Bytes;
use rquickjs::prelude::Coerced;
use rquickjs::{Ctx, Error, FromJs, Value};

use crate::memory::buffer_bytes;

/// The longest text of what was thrown.
const LONGEST: usize = 1_000;

/// Why a value is no answer.
pub(crate) enum NoAnswer {
    /// Something was thrown, and is still to be caught.
    Thrown(Error),
    /// The promise waits for nothing.
    Unsettled,
    /// The script gave this instead of a function.
    NoFunction(&'static str),
    /// It is too long.
    TooLong,
}

impl From<Error> for NoAnswer {
    fn from(error: Error) -> Self {
        Self::Thrown(error)
    }
}

/// The value that a returned value stands for in the end: what is still to be
/// done for promises is done first. `stopped` is asked between their jobs.
pub(crate) fn settle<'js>(
    ctx: &Ctx<'js>,
    value: Value<'js>,
    stopped: impl Fn() -> bool,
) -> Result<Value<'js>, NoAnswer> {
    while !stopped() && ctx.execute_pending_job() {}
    if stopped() {
        return Err(NoAnswer::Unsettled);
    }
    let Some(promise) = value.as_promise() else {
        return Ok(value);
    };
    promise
        .result()
        .unwrap_or_else(|| Err(Error::WouldBlock))
        .map_err(|error| match error {
            Error::WouldBlock => NoAnswer::Unsettled,
            thrown => NoAnswer::Thrown(thrown),
        })
}

/// The bytes of a reply.
pub(crate) fn bytes_of<'js>(
    ctx: &Ctx<'js>,
    value: Value<'js>,
    limit: usize,
) -> Result<Bytes, NoAnswer> {
    if let Some(raw) = value
        .as_object()
        .and_then(|object| object.as_array_buffer())
    {
        return if raw.len() > limit {
            Err(NoAnswer::TooLong)
        } else {
            Ok(buffer_bytes(raw))
        };
    }
    let json = ctx.json_stringify(value)?;
    let json = json.map(|json| json.to_string()).transpose()?;
    let json = json.map_or(Bytes::from_static(b"undefined"), Bytes::from);
    if json.len() > limit {
        return Err(NoAnswer::TooLong);
    }
    Ok(json)
}

/// What was thrown, in a line, and where, in several.
pub(crate) fn thrown<'js>(ctx: &Ctx<'js>, thrown: &Value<'js>) -> (String, Option<String>) {
    let stack = thrown.as_exception().and_then(rquickjs::Exception::stack);
    let text = Coerced::<String>::from_js(ctx, thrown.clone());
    // Asking for its text may throw as well.
    let text = text.map_or_else(|_| thrown.type_name().to_owned(), |text| text.0);
    (text.chars().take(LONGEST).collect(), stack)
}
