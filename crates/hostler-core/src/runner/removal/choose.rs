//! Whom to remove: those first who are missed least. Failed, then waiting, then
//! starting, then idle, then the least loaded; the newest of equals, which is
//! the cheapest to lose.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::Timestamp;
use crate::runner::{RunnerId, RunnerStatus};

/// A runner that could be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: RunnerId,
    /// Its status.
    pub status: RunnerStatus,
    /// When it was asked for.
    pub created: Timestamp,
    /// How many workloads are on it.
    pub load: u32,
    /// Whether it is on its way out already.
    pub is_leaving: bool,
}

/// What is wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// How many, when none are named.
    pub count: usize,
    /// Which; empty: whichever.
    pub ids: Vec<RunnerId>,
    /// Whether those at work may be taken: their work is moved, or `force`.
    pub busy_too: bool,
    /// So many that have not failed must be left.
    pub floor: usize,
}

/// Why one that was named is not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// There is none of this id.
    Unknown,
    /// Too few would be left.
    Floor,
    /// It has work on it that may not be moved.
    Busy,
}

/// Who is removed, in this order, and who is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// To be removed now, and those named that are leaving already.
    pub chosen: Vec<RunnerId>,
    /// Not removed, and why.
    pub refused: Vec<(RunnerId, Refusal)>,
    /// Whether the floor kept some that were wished.
    pub floor_reached: bool,
}

/// Chooses among the candidates.
pub fn removal_choose(candidates: &[Candidate], wish: &Wish) -> Choice {
    let mut choice = Choice::default();
    let serving = |one: &&Candidate| !one.is_leaving && one.status != RunnerStatus::Failed;
    let mut spare = candidates
        .iter()
        .filter(serving)
        .count()
        .saturating_sub(wish.floor);
    if wish.ids.is_empty() {
        any(candidates, wish, &mut spare, &mut choice);
    } else {
        named(candidates, wish, &mut spare, &mut choice);
    }
    choice
}

fn any(candidates: &[Candidate], wish: &Wish, spare: &mut usize, choice: &mut Choice) {
    let is_busy = |one: &&Candidate| one.load > 0 && one.status == RunnerStatus::Ready;
    let staying = candidates.iter().filter(|one| !one.is_leaving);
    let mut free: Vec<&Candidate> = staying
        .filter(|one| wish.busy_too || !is_busy(one))
        .collect();
    free.sort_by_key(|one| (class(one), one.load, Reverse(one.created), Reverse(&one.id)));
    for one in free {
        if choice.chosen.len() >= wish.count {
            break;
        }
        if may_go(one, spare) {
            choice.chosen.push(one.id.clone());
        } else {
            choice.floor_reached = true;
        }
    }
}

fn class(one: &Candidate) -> u8 {
    match (one.status, one.load) {
        (RunnerStatus::Failed, _) => 0,
        (RunnerStatus::Pending, _) => 1,
        (RunnerStatus::Provisioning, _) => 2,
        (RunnerStatus::Ready, 0) => 3,
        (RunnerStatus::Ready, _) => 4,
    }
}

/// Takes it out of what is to spare; one that has failed serves nobody.
fn may_go(one: &Candidate, spare: &mut usize) -> bool {
    if one.status == RunnerStatus::Failed {
        return true;
    }
    let fits = *spare > 0;
    *spare = spare.saturating_sub(1);
    fits
}

fn named(candidates: &[Candidate], wish: &Wish, spare: &mut usize, choice: &mut Choice) {
    let mut known = BTreeSet::new();
    for id in wish.ids.iter().filter(|id| known.insert(*id)) {
        let found = candidates.iter().find(|one| one.id == *id);
        match found.map_or(Err(Refusal::Unknown), |one| decide(one, wish, spare)) {
            Ok(()) => choice.chosen.push(id.clone()),
            Err(why) => {
                choice.floor_reached |= why == Refusal::Floor;
                choice.refused.push((id.clone(), why));
            }
        }
    }
}

fn decide(one: &Candidate, wish: &Wish, spare: &mut usize) -> Result<(), Refusal> {
    match one {
        one if one.is_leaving => Ok(()),
        one if one.load > 0 && !wish.busy_too => Err(Refusal::Busy),
        one if may_go(one, spare) => Ok(()),
        _ => Err(Refusal::Floor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RunnerStatus::{Failed, Pending, Provisioning, Ready};

    fn one(id: &str, status: RunnerStatus, created: i64, load: u32) -> Candidate {
        Candidate {
            id: id.parse().unwrap(),
            status,
            created: Timestamp::from_ms(created),
            load,
            is_leaving: false,
        }
    }

    fn everybody() -> Vec<Candidate> {
        vec![
            one("busy-most", Ready, 9, 5),
            one("busy-least", Ready, 1, 1),
            one("idle-old", Ready, 1, 0),
            one("idle-new", Ready, 2, 0),
            one("starting", Provisioning, 5, 0),
            one("waiting", Pending, 4, 0),
            one("failed", Failed, 3, 0),
        ]
    }

    fn wish(count: usize, floor: usize) -> Wish {
        Wish {
            count,
            ids: Vec::new(),
            busy_too: true,
            floor,
        }
    }

    #[track_caller]
    fn check(wish: &Wish, expected: &[&str]) {
        let choice = removal_choose(&everybody(), wish);
        let chosen: Vec<_> = choice.chosen.iter().map(RunnerId::as_str).collect();
        assert_eq!(chosen, expected);
    }

    #[test]
    fn those_missed_least_go_first_and_the_newest_of_equals() {
        let order = [
            "failed",
            "waiting",
            "starting",
            "idle-new",
            "idle-old",
            "busy-least",
            "busy-most",
        ];
        check(&wish(7, 0), &order);
        check(&wish(99, 0), &order);
        check(&wish(2, 0), &order[..2]);
    }

    #[test]
    fn those_at_work_stay_unless_their_work_can_leave() {
        let calm = Wish {
            busy_too: false,
            ..wish(9, 0)
        };
        check(
            &calm,
            &["failed", "waiting", "starting", "idle-new", "idle-old"],
        );
    }

    #[test]
    fn the_floor_holds_and_failed_ones_do_not_count_for_it() {
        check(&wish(9, 4), &["failed", "waiting", "starting"]);
        check(&wish(9, 6), &["failed"]);
        assert!(removal_choose(&everybody(), &wish(9, 6)).floor_reached);
        assert!(!removal_choose(&everybody(), &wish(1, 6)).floor_reached);
    }

    #[test]
    fn those_named_are_removed_or_refused_one_by_one() {
        let ids = ["idle-old", "busy-most", "nobody", "idle-new", "idle-old"];
        let wish = Wish {
            ids: ids.map(|id| id.parse().unwrap()).into(),
            busy_too: false,
            ..wish(1, 5)
        };
        let choice = removal_choose(&everybody(), &wish);
        let refused: Vec<_> = choice
            .refused
            .iter()
            .map(|(id, why)| (id.as_str(), *why))
            .collect();
        assert_eq!(choice.chosen, ["idle-old".parse().unwrap()]);
        let expected = [
            ("busy-most", Refusal::Busy),
            ("nobody", Refusal::Unknown),
            ("idle-new", Refusal::Floor),
        ];
        assert_eq!(refused, expected);
    }

    #[test]
    fn one_that_is_leaving_counts_as_done_when_named_and_not_otherwise() {
        let mut candidates = everybody();
        candidates[2].is_leaving = true;
        let named = Wish {
            ids: vec!["idle-old".parse().unwrap()],
            ..wish(1, 99)
        };
        assert_eq!(removal_choose(&candidates, &named).chosen, named.ids);
        assert_eq!(removal_choose(&candidates, &wish(9, 0)).chosen.len(), 6);
    }
}
