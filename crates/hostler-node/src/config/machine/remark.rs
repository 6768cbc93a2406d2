//! What is said of a key that is not followed.

use std::fmt;

/// Whether somebody may have relied on a key for safety.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nobody misses it.
    Note,
    /// It is not known, so nothing happens that its writer wanted.
    Unknown,
    /// It would have kept somebody out or something within bounds.
    Guard,
}

/// A key that is not followed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The key, with the names of the objects it is in.
    pub key: String,
    /// Whether somebody may have relied on it.
    pub weight: Weight,
    /// Why it is not followed.
    pub why: String,
}

impl Remark {
    pub(super) fn new(key: &str, weight: Weight, why: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            weight,
            why: why.into(),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not followed: {}", self.key, self.why)
    }
}
