//! What a pool keeper does next. It asks again after every change of a slot,
//! and at the moment the plan names; it carries the plan out and decides
//! nothing itself.

use std::time::Duration;

use super::slot::{Slot, SlotState};
use crate::Timestamp;
use crate::id::SlotId;

/// What a pool is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolRules {
    /// The fewest slots kept warm, asked for or not.
    pub min: u32,
    /// The most slots kept warm; it outweighs `min`.
    pub max: u32,
    /// The most slots there may be, claimed ones included.
    pub slots: u32,
    /// The most slots booting at once.
    pub boots_at_once: u32,
    /// How long a boot may take until its agent shakes hands.
    pub handshake_within: Duration,
    /// As many slots are kept warm as were claimed in this span.
    pub demand_window: Duration,
    /// How long after a claim nothing is booted while half the warm slots are
    /// ready: what was claimed is being deployed just then and comes first.
    pub rest: Duration,
    /// The pause after the first failed boot; each further one doubles it.
    pub retry_first: Duration,
    /// The longest pause after a failed boot.
    pub retry_most: Duration,
}

/// What is known of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolFacts {
    /// What it is meant to be.
    pub rules: PoolRules,
    /// Its slots; those gone count for nothing.
    pub slots: Vec<Slot>,
    /// When slots were claimed lately; those before the window count for
    /// nothing.
    pub claims: Vec<Timestamp>,
    /// How many boots have failed since one last succeeded.
    pub failures: u32,
    /// When the last boot failed.
    pub last_failure: Option<Timestamp>,
}

/// What to do about a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolPlan {
    /// So many new slots are to be booted.
    pub boot: u32,
    /// Slots to be ended: idle ones that nobody asks for, and those whose
    /// agents did not shake hands in time, which are failed boots.
    pub retire: Vec<SlotId>,
    /// When to ask again, if nothing changes before.
    pub wake_at: Option<Timestamp>,
}

/// The plan for a pool at `now`.
pub fn plan(facts: &PoolFacts, now: Timestamp) -> PoolPlan {
    let rules = &facts.rules;
    let slots = Sorted::of(facts, now);
    let asked = Demand::of(facts, now);
    let want = asked.claims.max(rules.min).min(rules.max);
    let warm = count(&slots.booting) + count(&slots.ready);
    let room = rules.slots.saturating_sub(warm + slots.claimed);
    let missing = want.saturating_sub(warm).min(room);
    let pauses = [
        pause_until(facts, &slots, now),
        rest_until(facts, &slots, want),
    ];
    let pause = pauses.into_iter().flatten().max().filter(|end| *end > now);
    let boot = match pause {
        Some(_) => 0,
        None => missing.min(boots_at_once(facts).saturating_sub(count(&slots.booting))),
    };
    let idle = count(&slots.ready).saturating_sub(want);
    let mut retire = slots.late;
    retire.extend(slots.ready.iter().take(idle as usize).map(|(_, id)| *id));
    let deadlines = slots
        .booting
        .iter()
        .map(|(since, _)| *since + rules.handshake_within);
    let retry = pause.filter(|_| missing > 0);
    let calmer = asked.falls_at.filter(|_| want > rules.min);
    let wake_at = deadlines.chain(retry).chain(calmer).min();
    PoolPlan {
        boot,
        retire,
        wake_at,
    }
}

/// The slots of a pool, by what they are good for.
struct Sorted {
    /// Since when, the longest first.
    booting: Vec<(Timestamp, SlotId)>,
    /// Since when, the longest first.
    ready: Vec<(Timestamp, SlotId)>,
    claimed: u32,
    /// Those that did not shake hands in time.
    late: Vec<SlotId>,
}

impl Sorted {
    fn of(facts: &PoolFacts, now: Timestamp) -> Self {
        let mut sorted = Self {
            booting: Vec::new(),
            ready: Vec::new(),
            claimed: 0,
            late: Vec::new(),
        };
        for slot in &facts.slots {
            match slot.state() {
                SlotState::Booting(since) if now.since(since) >= facts.rules.handshake_within => {
                    sorted.late.push(slot.id());
                }
                SlotState::Booting(since) => sorted.booting.push((since, slot.id())),
                SlotState::Ready(since) => sorted.ready.push((since, slot.id())),
                SlotState::Claimed => sorted.claimed += 1,
                SlotState::Gone => (),
            }
        }
        sorted.booting.sort_unstable();
        sorted.ready.sort_unstable();
        sorted
    }
}

/// How many slots were claimed in the window, and when there will be fewer.
struct Demand {
    claims: u32,
    falls_at: Option<Timestamp>,
}

impl Demand {
    fn of(facts: &PoolFacts, now: Timestamp) -> Self {
        let window = facts.rules.demand_window;
        let lately = |claim: &&Timestamp| now.since(**claim) < window;
        let claims = facts.claims.iter().filter(lately);
        Self {
            falls_at: claims.clone().min().map(|claim| *claim + window),
            claims: u32::try_from(claims.count()).unwrap_or(u32::MAX),
        }
    }
}

/// After a failure, one boot at a time shows whether the next would fail too.
fn boots_at_once(facts: &PoolFacts) -> u32 {
    match facts.failures {
        0 => facts.rules.boots_at_once,
        _ => facts.rules.boots_at_once.min(1),
    }
}

/// Until when no slot is booted because of failures; a slot that is found to
/// be late has failed now.
fn pause_until(facts: &PoolFacts, slots: &Sorted, now: Timestamp) -> Option<Timestamp> {
    let failures = facts.failures.saturating_add(count(&slots.late));
    let doubled = failures.checked_sub(1)?;
    let factor = 2_u32.saturating_pow(doubled);
    let pause = facts.rules.retry_first.saturating_mul(factor);
    let last = if slots.late.is_empty() {
        facts.last_failure?
    } else {
        now
    };
    Some(last + pause.min(facts.rules.retry_most))
}

/// Until when a deploy goes before the boot that replaces its slot.
fn rest_until(facts: &PoolFacts, slots: &Sorted, want: u32) -> Option<Timestamp> {
    let last = facts.claims.iter().max()?;
    let is_enough = count(&slots.ready).saturating_mul(2) >= want;
    is_enough.then(|| *last + facts.rules.rest)
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_ms(1_000_000 + 1_000 * second)
    }

    const RULES: PoolRules = PoolRules {
        min: 2,
        max: 5,
        slots: 8,
        boots_at_once: 3,
        handshake_within: Duration::from_secs(10),
        demand_window: Duration::from_mins(1),
        retry_first: Duration::from_secs(1),
        rest: Duration::from_millis(20),
        retry_most: Duration::from_secs(30),
    };

    fn id(number: u8) -> SlotId {
        SlotId::from_parts(1, [number; 8])
    }

    /// `b` is a slot booting since second 0, `r` one ready since then, `c` a
    /// claimed one, `g` one gone; numbered from zero.
    fn facts(slots: &str, claims: &[i64]) -> PoolFacts {
        let slot = |(number, state): (usize, char)| {
            let mut slot = Slot::boot(id(u8::try_from(number).unwrap()), at(0));
            if state == 'r' || state == 'c' {
                slot.shake_hands(at(0)).unwrap();
            }
            match state {
                'c' => slot.claim().unwrap(),
                'g' => slot.end(),
                _ => (),
            }
            slot
        };
        PoolFacts {
            rules: RULES,
            slots: slots.chars().enumerate().map(slot).collect(),
            claims: claims.iter().map(|second| at(*second)).collect(),
            failures: 0,
            last_failure: None,
        }
    }

    #[track_caller]
    fn check(facts: &PoolFacts, second: i64, boot: u32, retire: &[u8], wake: Option<i64>) {
        let expected = PoolPlan {
            boot,
            retire: retire.iter().map(|number| id(*number)).collect(),
            wake_at: wake.map(at),
        };
        assert_eq!(plan(facts, at(second)), expected);
    }

    #[test]
    fn the_warm_size_follows_demand_between_min_and_max() {
        check(&facts("", &[]), 0, 2, &[], None);
        check(&facts("rr", &[]), 0, 0, &[], None);
        check(&facts("ccrr", &[0, 1, 2]), 3, 1, &[], Some(60));
        check(&facts("rr", &[0; 9]), 3, 3, &[], Some(60));
        check(&facts("rrrrr", &[0; 9]), 3, 0, &[], Some(60));
        check(&facts("rrrrr", &[0; 9]), 60, 0, &[0, 1, 2], None);
    }

    #[test]
    fn refill_is_bounded_by_boots_at_once_and_by_the_slots_there_are() {
        check(&facts("bb", &[0; 9]), 1, 1, &[], Some(10));
        check(&facts("bbb", &[0; 9]), 1, 0, &[], Some(10));
        check(&facts("cccccccr", &[]), 1, 0, &[], None);
        check(&facts("ccccccr", &[]), 1, 1, &[], None);
        check(&facts("gggggggggr", &[]), 1, 1, &[], None);
    }

    #[test]
    fn a_fresh_claim_is_deployed_before_its_slot_is_replaced() {
        let check = |slots, ms, boot, wake: Option<i64>| {
            let at = |ms| Timestamp::from_ms(1_000_000 + ms);
            let plan = plan(&facts(slots, &[0]), at(ms));
            assert_eq!((plan.boot, plan.wake_at), (boot, wake.map(at)), "{slots}");
        };
        check("cr", 0, 0, Some(20));
        check("cr", 19, 0, Some(20));
        check("cr", 20, 1, None);
        check("c", 0, 2, None);
    }

    #[test]
    fn a_slot_that_does_not_shake_hands_in_time_is_a_failed_boot() {
        check(&facts("br", &[]), 9, 0, &[], Some(10));
        check(&facts("br", &[]), 10, 0, &[0], Some(11));
        check(&facts("bbrr", &[]), 10, 0, &[0, 1], None);
    }

    #[test]
    fn failed_boots_are_tried_again_more_and_more_slowly_and_singly() {
        let failed = |failures| PoolFacts {
            failures,
            last_failure: Some(at(0)),
            ..facts("", &[])
        };
        for (failures, pause) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (99, 30)] {
            check(&failed(failures), pause - 1, 0, &[], Some(pause));
            check(&failed(failures), pause, 1, &[], None);
        }
        let late = PoolFacts {
            slots: facts("b", &[]).slots,
            ..failed(2)
        };
        check(&late, 10, 0, &[0], Some(14));
    }

    #[test]
    fn a_pool_that_shall_be_empty_gives_up_what_is_idle() {
        let mut closing = facts("crrb", &[0, 0]);
        closing.rules.max = 0;
        check(&closing, 1, 0, &[1, 2], Some(10));
    }

    #[test]
    fn a_pool_comes_to_rest_whatever_it_starts_from() {
        for start in ["", "bbb", "rrrrrrrr", "cccccccc", "gbrc", "ccccrrr"] {
            let mut pool = facts(start, &[0, 0, 0]);
            for second in 0..200 {
                let step = plan(&pool, at(second));
                pool.slots.retain(|slot| !step.retire.contains(&slot.id()));
                for slot in &mut pool.slots {
                    let _ = slot.shake_hands(at(second));
                }
                for _ in 0..step.boot {
                    let next = u8::try_from(100 + pool.slots.len()).unwrap();
                    pool.slots.push(Slot::boot(id(next), at(second)));
                }
                assert!(pool.slots.len() <= start.len().max(8));
            }
            assert_eq!(plan(&pool, at(200)), PoolPlan::default(), "{start}");
        }
    }
}
