//! Wrong secrets, and when whoever sends them is asked to wait.
//!
//! Each source may be wrong a number of times at once, and once a second from
//! then on. Only wrong secrets are counted and only wrong secrets are put off:
//! behind a proxy many people share one address, and nobody may be locked out
//! by what a neighbour, or their own forgotten script, sends. So this is no
//! lock; what keeps secrets from being found is their length. It keeps a
//! client that asks in vain from doing so as fast as it can, and tells it.

use std::time::Duration;

use crate::Timestamp;

/// How often a source may be wrong in a moment.
pub const GUESSES_AT_ONCE: u32 = 20;

/// How long it takes until one more is forgiven.
const FORGIVEN: Duration = Duration::from_secs(1);

/// A source that was wrong: the moment at which all is forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guesser(Timestamp);

/// What a wrong secret is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuessVerdict {
    /// That it is wrong.
    Wrong,
    /// That its sender should wait for so long.
    Wait(Duration),
}

impl Guesser {
    /// Whether it is as if this source had never been wrong.
    pub fn is_forgiven(self, now: Timestamp) -> bool {
        self.0 <= now
    }
}

/// One more wrong secret of a source (`None`: its first). A clock that was set
/// back makes nobody wait longer than the worst guesser would.
pub fn guess(before: Option<Guesser>, now: Timestamp) -> (Guesser, GuessVerdict) {
    let patience = FORGIVEN * GUESSES_AT_ONCE;
    let worst = now + patience;
    let start = before.map_or(now, |Guesser(end)| end.max(now)).min(worst);
    let end = start + FORGIVEN;
    if end <= worst {
        return (Guesser(end), GuessVerdict::Wrong);
    }
    (Guesser(start), GuessVerdict::Wait(end.since(worst)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guesses at these milliseconds; how long each is asked to wait, 0 for
    /// those that are told they are wrong.
    #[track_caller]
    fn check(before: usize, at_ms: &[i64], expected_ms: &[u128]) {
        let zeros = vec![0; before];
        let mut guesser = None;
        let mut waits = Vec::new();
        for at in zeros.iter().chain(at_ms) {
            let (next, verdict) = guess(guesser, Timestamp::from_ms(*at));
            guesser = Some(next);
            waits.push(match verdict {
                GuessVerdict::Wrong => 0,
                GuessVerdict::Wait(span) => span.as_millis(),
            });
        }
        assert!(waits[..before].iter().all(|wait| *wait == 0), "{waits:?}");
        assert_eq!(&waits[before..], expected_ms);
    }

    #[test]
    fn a_source_may_be_wrong_some_times_and_then_once_a_second() {
        check(0, &[0], &[0]);
        check(19, &[0, 0], &[0, 1_000]);
        check(20, &[0, 0, 0], &[1_000, 1_000, 1_000]);
        check(20, &[400, 999, 1_000, 1_000], &[600, 1, 0, 1_000]);
        check(20, &[3_000, 3_000, 3_000, 3_000], &[0, 0, 0, 1_000]);
        check(20, &[20_000], &[0]);
    }

    #[test]
    fn guesses_that_are_put_off_do_not_prolong_the_wait() {
        let many = vec![500; 1_000];
        check(20, &many, &vec![500; 1_000]);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_for_long() {
        let far = Guesser(Timestamp::from_ms(1_000_000_000));
        let (guesser, verdict) = guess(Some(far), Timestamp::from_ms(0));
        assert_eq!(verdict, GuessVerdict::Wait(FORGIVEN));
        assert!(guesser.is_forgiven(Timestamp::from_ms(20_000)));
    }

    #[test]
    fn all_is_forgiven_in_the_end() {
        let (once, _) = guess(None, Timestamp::from_ms(0));
        assert!(!once.is_forgiven(Timestamp::from_ms(999)));
        assert!(once.is_forgiven(Timestamp::from_ms(1_000)));
    }
}
