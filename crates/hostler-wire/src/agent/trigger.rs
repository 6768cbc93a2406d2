//! Headers of a trigger, which is the message's own bytes and nothing else
//! (protocol 6.10).

/// On the request: the concrete subject of the message.
pub const TRIGGER_SUBJECT_HEADER: &str = "x-nex-trigger-subject";
/// On the request: the W3C trace context.
pub const TRACE_HEADER: &str = "Traceparent";
/// On the reply: nanoseconds that the call took, in decimal.
pub const RUNTIME_HEADER: &str = "x-nex-runtime-ns";
/// On a reply: what went wrong, in words, instead of bytes (ours). The
/// original stays silent and lets the caller wait.
pub const ERROR_HEADER: &str = "x-hostler-error";
