//! Which pool to ask when one has no capacity: it rests for a while, which
//! doubles with each time in a row, and the next of its fallbacks is asked.

use std::collections::BTreeMap;

use super::{PoolName, RunnerPool};
use crate::Timestamp;

/// A pool that had no capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// How many times in a row.
    pub rounds: u32,
    /// Until when it is not asked.
    pub until: Timestamp,
}

/// The pools that rest, or did lately.
pub type Rests = BTreeMap<PoolName, Rest>;

/// The rest after a pool said at `now` that it has no capacity. What it says
/// while it rests already is the same news.
pub fn rest_after(pool: &RunnerPool, before: Option<Rest>, now: Timestamp) -> Rest {
    match before {
        Some(rest) if now < rest.until => rest,
        _ => {
            let rounds = before.map_or(0, |rest| rest.rounds).saturating_add(1);
            let factor = 1_u32.checked_shl(rounds - 1).unwrap_or(u32::MAX);
            let pause = pool.retry_first.saturating_mul(factor);
            let until = now + pause.min(pool.retry_most);
            Rest { rounds, until }
        }
    }
}

/// The first of the pool's fallbacks that was not tried and does not rest.
pub fn pool_instead(
    pool: &RunnerPool,
    tried: &[PoolName],
    rests: &Rests,
    now: Timestamp,
) -> Option<PoolName> {
    let is_fresh = |name: &&PoolName| **name != pool.name && !tried.contains(name);
    let is_awake = |name: &&PoolName| rests.get(*name).is_none_or(|rest| now >= rest.until);
    let mut names = pool.fallback.iter().filter(is_fresh).filter(is_awake);
    names.next().cloned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pool() -> RunnerPool {
        let mut pool = RunnerPool::named("a".parse().unwrap());
        pool.retry_first = Duration::from_secs(10);
        pool.retry_most = Duration::from_secs(25);
        pool.fallback = ["b", "c"].map(|name| name.parse().unwrap()).into();
        pool
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1_000)
    }

    #[test]
    fn a_rest_doubles_up_to_the_longest_and_is_not_made_longer_by_old_news() {
        let first = rest_after(&pool(), None, at(0));
        assert_eq!(first.until, at(10));
        assert_eq!(rest_after(&pool(), Some(first), at(9)), first);
        let second = rest_after(&pool(), Some(first), at(10));
        assert_eq!(second.until, at(30));
        let third = rest_after(&pool(), Some(second), at(30));
        assert_eq!(third.until, at(55));
        let late = Rest {
            rounds: u32::MAX,
            until: at(0),
        };
        assert_eq!(rest_after(&pool(), Some(late), at(0)).until, at(25));
    }

    #[test]
    fn the_first_fallback_that_is_neither_tried_nor_resting_is_asked() {
        let [b, c]: [PoolName; 2] = ["b", "c"].map(|name| name.parse().unwrap());
        let until = at(10);
        let rests: Rests = [(b.clone(), Rest { rounds: 1, until })].into();
        let none = Rests::new();
        let check = |tried: &[PoolName], rests: &Rests, seconds, expected: Option<&PoolName>| {
            let found = pool_instead(&pool(), tried, rests, at(seconds));
            assert_eq!(found.as_ref(), expected);
        };
        check(&[], &none, 0, Some(&b));
        check(std::slice::from_ref(&b), &none, 0, Some(&c));
        check(&[], &rests, 9, Some(&c));
        check(&[], &rests, 10, Some(&b));
        check(&[b.clone(), c.clone()], &none, 0, None);
    }
}
