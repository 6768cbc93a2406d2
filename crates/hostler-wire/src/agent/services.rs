//! Headers of calls of host services, and how their answers end (protocol
//! 6.7). Answers are raw bytes; a failed call has the original's error as its
//! body and, of ours, the text alone in [`ERROR_HEADER`](super::ERROR_HEADER),
//! so that it cannot be taken for a value that looks like it.

/// On a call: which key.
pub const KEY_HEADER: &str = "x-keyvalue-key";
/// On a call: which subject.
pub const SUBJECT_HEADER: &str = "x-subject";
/// On a call: which object.
pub const OBJECT_HEADER: &str = "x-object-name";
/// On a call: which address.
pub const URL_HEADER: &str = "x-http-url";

/// On a call: the caller wants to be told of the last answer (ours). On the
/// last answer: how many answers its message is, `1` or `0`.
pub const END_HEADER: &str = "x-hostler-end";

/// The most answers that one call gives.
pub const MOST_ANSWERS: usize = 1_000;

/// Room that a message leaves for its headers.
pub const MARGIN: usize = 8 << 10;

/// The header that names what a call of this service is about.
pub fn name_header(service: &str) -> Option<&'static str> {
    match service {
        "kv" => Some(KEY_HEADER),
        "messaging" => Some(SUBJECT_HEADER),
        "objectstore" => Some(OBJECT_HEADER),
        "http" => Some(URL_HEADER),
        _ => None,
    }
}
