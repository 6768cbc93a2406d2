//! What a group, and the instances in it, are to be told next: a pure function
//! over one look at them. Each step may be repeated.

use std::collections::{BTreeMap, BTreeSet};

use hostler_core::runner::RunnerId;

use super::{protected, wants};
use crate::cloud::{Group, Instance};
use crate::names::{Claim, tag};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupStep {
    /// Keep this instance when the group shrinks.
    Protect(String),
    /// Tag this instance as the runner's.
    Claim(String, Claim),
    /// Take the want off the group: it has its instance.
    Settle(String),
    /// Tell the group how many it is to have.
    Desire(u32),
}

/// The next steps, in order.
pub(crate) fn group_steps(
    group: &Group,
    instances: &BTreeMap<String, Instance>,
    fleet: &str,
) -> Vec<GroupStep> {
    let members: Vec<&Instance> = members(group, instances, fleet);
    let claimed: BTreeMap<RunnerId, &Instance> = members
        .iter()
        .filter_map(|one| Some((one.tags.get(tag::RUNNER)?.parse().ok()?, *one)))
        .collect();
    let (settled, open): (Vec<Claim>, Vec<Claim>) = wants(group)
        .into_iter()
        .partition(|want| claimed.contains_key(&want.runner));
    let is_free = |one: &&&Instance| !one.tags.contains_key(tag::RUNNER);
    let free: Vec<&Instance> = members.iter().filter(is_free).copied().collect();
    let safe = protected(group);
    let unsafe_ones: Vec<&&Instance> = claimed
        .values()
        .filter(|one| !safe.contains(one.id.as_str()))
        .collect();
    let mut steps: Vec<GroupStep> = Vec::new();
    steps.extend(
        unsafe_ones
            .iter()
            .map(|one| GroupStep::Protect(one.id.clone())),
    );
    for (one, want) in free.iter().zip(&open) {
        steps.push(GroupStep::Protect(one.id.clone()));
        steps.push(GroupStep::Claim(one.id.clone(), want.clone()));
    }
    steps.extend(settled.iter().map(|want| GroupStep::Settle(want.want().0)));
    // Whom it would take when it shrinks is the group's choice: it is not made
    // to choose while somebody is in it whom we do not know.
    let is_moving = !steps.is_empty() || members.len() != group.members.len();
    steps.extend(desire(group, claimed.len() + open.len(), is_moving));
    steps
}

/// Ours, and not on their way out, the eldest first.
fn members<'a>(
    group: &Group,
    instances: &'a BTreeMap<String, Instance>,
    fleet: &str,
) -> Vec<&'a Instance> {
    let ids: BTreeSet<&String> = group.members.iter().map(|(id, _)| id).collect();
    let is_ours = |one: &&Instance| one.tags.get(tag::FLEET).is_some_and(|owner| owner == fleet);
    let all = ids.into_iter().filter_map(|id| instances.get(id));
    let mut members: Vec<&Instance> = all
        .filter(is_ours)
        .filter(|one| one.state.lives())
        .collect();
    members.sort_by_key(|one| (one.launched, &one.id));
    members
}

/// Grown at once; shrunk only by a look at which nothing else is to be done,
/// and every claim is protected.
fn desire(group: &Group, needed: usize, is_moving: bool) -> Option<GroupStep> {
    let needed = u32::try_from(needed).unwrap_or(u32::MAX);
    let wished = needed.max(group.min).min(group.max);
    let is_due = wished > group.desired || (wished < group.desired && !is_moving);
    is_due.then_some(GroupStep::Desire(wished))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::fixtures::{claim, instance};

    fn free(id: &str) -> Instance {
        let mut one = instance(id, "nobody", 0);
        one.tags.retain(|key, _| key == tag::FLEET);
        one
    }

    fn group(desired: u32, wants: &[&str], members: &[(&str, bool)]) -> Group {
        Group {
            name: "g".to_owned(),
            desired,
            min: 0,
            max: 5,
            tags: wants.iter().map(|runner| claim(runner, 0).want()).collect(),
            members: members
                .iter()
                .map(|(id, safe)| ((*id).to_owned(), *safe))
                .collect(),
            failure: None,
        }
    }

    #[track_caller]
    fn check(group: &Group, instances: Vec<Instance>, expected: &[GroupStep]) {
        let instances = instances
            .into_iter()
            .map(|one| (one.id.clone(), one))
            .collect();
        assert_eq!(group_steps(group, &instances, "f"), expected);
    }

    fn claims(id: &str, runner: &str) -> [GroupStep; 2] {
        let protect = GroupStep::Protect(id.to_owned());
        [protect, GroupStep::Claim(id.to_owned(), claim(runner, 0))]
    }

    #[test]
    fn a_want_makes_the_group_grow_and_takes_what_is_free() {
        check(&group(0, &[], &[]), vec![], &[]);
        check(&group(0, &["a", "b"], &[]), vec![], &[GroupStep::Desire(2)]);
        check(
            &group(2, &["a", "b"], &[("i-1", false)]),
            vec![free("i-1")],
            &claims("i-1", "a"),
        );
    }

    #[test]
    fn a_want_that_has_its_instance_is_settled_once() {
        let settled = GroupStep::Settle("hostler:want:a".to_owned());
        check(
            &group(1, &["a"], &[("i-1", true)]),
            vec![instance("i-1", "a", 0)],
            &[settled],
        );
        check(
            &group(1, &[], &[("i-1", true)]),
            vec![instance("i-1", "a", 0)],
            &[],
        );
    }

    #[test]
    fn the_group_shrinks_only_when_every_claim_is_protected() {
        let both = || vec![instance("i-1", "a", 0), free("i-2")];
        let protect = GroupStep::Protect("i-1".to_owned());
        check(
            &group(2, &[], &[("i-1", false), ("i-2", false)]),
            both(),
            &[protect],
        );
        check(
            &group(2, &[], &[("i-1", true), ("i-2", false)]),
            both(),
            &[GroupStep::Desire(1)],
        );
    }

    #[test]
    fn bounds_of_the_group_hold() {
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        check(&group(0, &many, &[]), vec![], &[GroupStep::Desire(5)]);
        let mut least = group(3, &[], &[]);
        least.min = 2;
        check(&least, vec![], &[GroupStep::Desire(2)]);
    }

    #[test]
    fn an_instance_of_somebody_else_in_the_group_is_not_claimed() {
        let mut other = free("i-1");
        other.tags.insert(tag::FLEET.to_owned(), "other".to_owned());
        check(
            &group(1, &["a"], &[("i-1", false)]),
            vec![other.clone()],
            &[],
        );
        check(&group(1, &[], &[("i-1", false)]), vec![other], &[]);
        check(
            &group(1, &[], &[("i-1", false)]),
            vec![free("i-1")],
            &[GroupStep::Desire(0)],
        );
    }
}
