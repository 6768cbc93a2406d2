//! Who changes something, and when: an argument of every mutation, and a
//! column of the event that it writes.

use hostler_core::Timestamp;

/// The author of a change.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// A token's name, a node's name, or `hostler`.
    pub actor: &'a str,
    /// The time of the change.
    pub now: Timestamp,
    /// The address it came from, when a person asked for it: such changes are
    /// written into the audit log too.
    pub origin: Option<&'a str>,
}

impl<'a> By<'a> {
    /// `actor`, at `now`.
    pub const fn new(actor: &'a str, now: Timestamp) -> Self {
        Self {
            actor,
            now,
            origin: None,
        }
    }

    /// The same, asked for from this address.
    #[must_use]
    pub const fn asked_from(self, origin: &'a str) -> Self {
        Self {
            origin: Some(origin),
            ..self
        }
    }
}
