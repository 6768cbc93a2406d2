//! Passwords that are tried, and when whoever tries is asked to wait.
//!
//! Passwords are short, so unlike tokens they are put off before they are
//! looked at: an attempt is counted first and given back when it was right.
//! Each attempt counts for its address and for the name it tries. Who signed
//! in from an address lately is counted apart there, so that nobody is locked
//! out of where they work by strangers who try their name. Names are counted
//! whether or not anybody has them, so that waiting tells nothing either.

use std::time::Duration;

use crate::Timestamp;

/// How often one may be wrong at once, and how long one more takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// So many attempts at once.
    pub at_once: u32,
    /// How long it takes until one more is allowed.
    pub each: Duration,
}

/// Of one address, whatever names it tries.
pub const PER_ADDRESS: Patience = Patience {
    at_once: 30,
    each: Duration::from_secs(2),
};

/// Of one name, from wherever it is tried.
pub const PER_NAME: Patience = Patience {
    at_once: 10,
    each: Duration::from_secs(30),
};

/// What was tried lately: the moment at which all of it is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempts(Timestamp);

impl Attempts {
    /// Whether it is as if nothing had been tried.
    pub fn is_forgotten(self, now: Timestamp) -> bool {
        self.0 <= now
    }

    /// One attempt fewer: it was right.
    #[must_use]
    pub fn given_back(self, patience: &Patience) -> Self {
        let ms = i64::try_from(patience.each.as_millis()).unwrap_or(i64::MAX);
        Self(Timestamp::from_ms(self.0.ms().saturating_sub(ms)))
    }
}

/// One more attempt: counted, or how long to wait, uncounted. A clock that was
/// set back makes nobody wait longer than the worst would.
pub fn attempt(
    before: Option<Attempts>,
    now: Timestamp,
    patience: &Patience,
) -> Result<Attempts, Duration> {
    let worst = now + patience.each * patience.at_once;
    let start = before.map_or(now, |Attempts(end)| end.max(now)).min(worst);
    let end = start + patience.each;
    if end <= worst {
        Ok(Attempts(end))
    } else {
        Err(end.since(worst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Patience = Patience {
        at_once: 3,
        each: Duration::from_secs(10),
    };

    /// Attempts at these seconds; the waits, 0 for those that were counted.
    #[track_caller]
    fn check(at_s: &[i64], expected_s: &[u64]) {
        let mut before = None;
        let mut waits = Vec::new();
        for at in at_s {
            match attempt(before, Timestamp::from_ms(at * 1_000), &THREE) {
                Ok(attempts) => {
                    before = Some(attempts);
                    waits.push(0);
                }
                Err(wait) => waits.push(wait.as_secs()),
            }
        }
        assert_eq!(waits, expected_s);
    }

    #[test]
    fn some_attempts_are_free_and_then_one_at_a_time() {
        check(&[0, 0, 0, 0, 4, 10, 10, 25], &[0, 0, 0, 10, 6, 0, 10, 0]);
        check(
            &[0, 0, 0, 1_000, 1_000, 1_000, 1_000],
            &[0, 0, 0, 0, 0, 0, 10],
        );
        check(&[1_000, 1_000, 1_000, 0], &[0, 0, 0, 10]);
    }

    #[test]
    fn a_right_attempt_is_given_back() {
        let now = Timestamp::from_ms(0);
        let once = attempt(None, now, &THREE).unwrap();
        assert!(!once.is_forgotten(now));
        assert!(once.given_back(&THREE).is_forgotten(now));
    }
}
