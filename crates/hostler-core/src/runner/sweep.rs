//! Machines that carry our mark and that nobody knows of: a creation whose
//! answer was lost after its job had been given up, a release that was
//! overtaken. They cost money until somebody looks.
//!
//! Taken is only what carries exactly this owner's word, in two looks some time
//! apart: a job may have been written between reading the book and listing the
//! machines. What must never happen: the machine of anybody else is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Mark, RunnerId};
use crate::Timestamp;

/// A machine as its provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What its runner is called.
    pub id: RunnerId,
    /// The word of whom it belongs to, if it carries one.
    pub owner: Option<String>,
    /// The job it was asked for by, if that is known.
    pub mark: Option<Mark>,
    /// Whether it is being given back already.
    pub is_terminating: bool,
}

/// Since when machines have been suspected.
pub type Suspects = BTreeMap<RunnerId, Timestamp>;

/// What a look comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Orphans, to be released.
    pub release: Vec<RunnerId>,
    /// To be handed to the next look.
    pub suspects: Suspects,
}

/// One look over all machines. `known` are the runners that the book of jobs
/// still answers for, and `apart` is how long a suspect is suspected first.
pub fn sweep(
    listed: &[Listed],
    owner: &str,
    known: &BTreeSet<RunnerId>,
    (before, apart): (&Suspects, Duration),
    now: Timestamp,
) -> Sweep {
    let is_orphan = |one: &&Listed| {
        one.owner.as_deref() == Some(owner) && one.mark.is_some() && !known.contains(&one.id)
    };
    let mut sweep = Sweep::default();
    for one in listed
        .iter()
        .filter(is_orphan)
        .filter(|one| !one.is_terminating)
    {
        let since = before.get(&one.id).copied().unwrap_or(now);
        if now >= since + apart && before.contains_key(&one.id) {
            sweep.release.push(one.id.clone());
        }
        sweep.suspects.insert(one.id.clone(), since);
    }
    sweep.release.sort();
    sweep
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::JobId;

    const APART: Duration = Duration::from_mins(1);
    const NOW: Timestamp = Timestamp::from_ms(60_000);

    fn listed(id: &str, owner: Option<&str>) -> Listed {
        let mark = Mark {
            job: JobId::from_parts(1, [0; 10]),
            index: 0,
            requested_at: NOW,
            deadline: NOW,
        };
        Listed {
            id: id.parse().unwrap(),
            owner: owner.map(str::to_owned),
            mark: Some(mark),
            is_terminating: false,
        }
    }

    /// What is released of one machine that was suspected at this time.
    fn check(one: &Listed, known: &[&str], since: Option<i64>, expected: bool) {
        let known = known.iter().map(|id| id.parse().unwrap()).collect();
        let suspected = since.map(|ms| (one.id.clone(), Timestamp::from_ms(ms)));
        let before = suspected.into_iter().collect();
        let found = sweep(
            std::slice::from_ref(one),
            "fleet-1",
            &known,
            (&before, APART),
            NOW,
        );
        assert_eq!(found.release.contains(&one.id), expected, "{one:?}");
    }

    #[test]
    fn an_orphan_goes_at_the_second_look() {
        check(&listed("a", Some("fleet-1")), &[], None, false);
        check(&listed("a", Some("fleet-1")), &[], Some(1), false);
        check(&listed("a", Some("fleet-1")), &[], Some(0), true);
        check(&listed("a", Some("fleet-1")), &["a"], Some(0), false);
    }

    #[test]
    fn what_is_not_exactly_ours_is_never_touched() {
        for owner in [None, Some("fleet-10"), Some("fleet"), Some("Fleet-1")] {
            check(&listed("a", owner), &[], Some(0), false);
        }
        let by_hand = Listed {
            mark: None,
            ..listed("a", Some("fleet-1"))
        };
        check(&by_hand, &[], Some(0), false);
        let terminating = Listed {
            is_terminating: true,
            ..listed("a", Some("fleet-1"))
        };
        check(&terminating, &[], Some(0), false);
    }
}
