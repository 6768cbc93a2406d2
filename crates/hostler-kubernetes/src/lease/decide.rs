//! What to do with a lease, as it was last seen.

use std::time::Duration;

/// How long a lease lasts without being renewed.
pub(super) const LASTS: Duration = Duration::from_secs(15);
/// How often it is looked at, and renewed.
pub(super) const EVERY: Duration = Duration::from_secs(4);
/// When a leader that could not renew it leads no longer.
pub(super) const YIELDS: Duration = Duration::from_secs(10);

/// A lease, as the API server tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Who has it; nobody has one that was given back.
    pub(super) holder: Option<String>,
    /// How long it says that it lasts.
    pub(super) lasts: Duration,
    /// How often it has changed hands.
    pub(super) terms: i32,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Write the first one.
    Make,
    /// Write that it is ours, from somebody else's.
    Take,
    /// Write that it still is ours.
    Renew,
    /// Look again later.
    Wait,
}

/// The next act of `me`, when the lease has not changed for `unchanged`.
pub(super) fn decide(seen: Option<&Seen>, me: &str, unchanged: Duration) -> Act {
    let Some(seen) = seen else {
        return Act::Make;
    };
    match seen.holder.as_deref() {
        Some(holder) if holder == me => Act::Renew,
        Some(holder) if !holder.is_empty() && unchanged < seen.lasts => Act::Wait,
        _ => Act::Take,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(holder: Option<&str>, unchanged: u64, expected: Act) {
        let seen = Seen {
            holder: holder.map(str::to_owned),
            lasts: Duration::from_secs(15),
            terms: 0,
        };
        assert_eq!(
            decide(Some(&seen), "me", Duration::from_secs(unchanged)),
            expected
        );
    }

    #[test]
    fn a_lease_is_taken_over_only_when_it_has_not_changed_for_as_long_as_it_lasts() {
        check(Some("other"), 0, Act::Wait);
        check(Some("other"), 14, Act::Wait);
        check(Some("other"), 15, Act::Take);
        check(Some("me"), 100, Act::Renew);
    }

    #[test]
    fn a_lease_that_nobody_has_is_taken_at_once() {
        check(None, 0, Act::Take);
        check(Some(""), 0, Act::Take);
        assert_eq!(decide(None, "me", Duration::ZERO), Act::Make);
    }

    #[test]
    fn a_leader_that_cannot_renew_yields_before_anybody_takes_over() {
        // Renewed just after a look, it may be known to others for that long.
        assert!(YIELDS < LASTS && EVERY * 2 < YIELDS);
    }
}
