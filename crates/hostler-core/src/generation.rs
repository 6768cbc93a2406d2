//! The number that makes "send it again" safe: every change of a goal or a
//! seat raises it, and whoever has seen a higher one refuses a lower one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How often a thing's goal or seat has changed; starts at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// The generation of a thing just made.
    pub const FIRST: Self = Self(1);

    /// The generation with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The bare number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The generation of the next change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Whether a receiver that holds `self` may follow an order of `order`.
    /// The same number is the same order again, and is followed again.
    pub fn admits(self, order: Self) -> bool {
        order >= self
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_older_order_is_refused() {
        let held = Generation::FIRST.next();
        assert!(!held.admits(Generation::FIRST));
        assert!(held.admits(held));
        assert!(held.admits(held.next()));
    }
}
