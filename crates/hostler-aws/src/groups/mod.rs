//! Auto Scaling groups, which know only how many instances they are to have.
//!
//! ```text
//!  want (a tag of the group) ──an instance is free──▶ claim (tags of the instance)
//! ```
//!
//! Who waits is written on the group, who has an instance on the instance; so
//! nothing is lost with this process, and asking again is the same tag again.
//! How many the group is to have is never counted up or down: it is the number
//! of claims and wants, at every look. Instances with a claim are protected
//! before the group is ever told to shrink.

mod step;

use std::collections::{BTreeMap, BTreeSet};

use hostler_core::runner::{Reason, ReasonCode, RunnerFacts};

use crate::cloud::{Group, reason_of_activity};
use crate::names::Claim;

pub(crate) use step::{GroupStep, group_steps};

/// The most that wait on one group at a time: groups take 50 tags.
pub(crate) const WANTS: usize = 40;

/// Who waits for an instance of the group, the earliest first.
pub(crate) fn wants(group: &Group) -> Vec<Claim> {
    let tags = group.tags.iter();
    let mut wants: Vec<Claim> = tags
        .filter_map(|(key, value)| Claim::of_want(key, value))
        .collect();
    wants.sort_by_key(|claim| {
        (
            claim.mark.requested_at,
            claim.mark.index,
            claim.runner.clone(),
        )
    });
    wants
}

/// The facts of all that wait.
pub(crate) fn waiting(groups: &BTreeMap<String, Group>) -> Vec<RunnerFacts> {
    groups.values().flat_map(waiting_for).collect()
}

fn waiting_for(group: &Group) -> Vec<RunnerFacts> {
    let wants = wants(group);
    let room = usize::try_from(group.max)
        .unwrap_or(usize::MAX)
        .saturating_sub(group.members.len());
    let facts = |(place, claim): (usize, Claim)| {
        let asked = claim.mark.requested_at;
        let mut facts = RunnerFacts::waiting(claim.runner, claim.pool, Some(claim.mark), asked);
        facts.reasons = why(group, asked, place < room);
        facts.extra = [("group".to_owned(), group.name.clone())].into();
        facts
    };
    wants.into_iter().enumerate().map(facts).collect()
}

/// Why nobody has come yet. A failure from before it was asked for is no news.
fn why(group: &Group, asked: hostler_core::Timestamp, has_room: bool) -> Vec<Reason> {
    if !has_room {
        let text = format!("group {} may have {} instances", group.name, group.max);
        return vec![Reason::new(ReasonCode::MaxNodesReached, text)];
    }
    match &group.failure {
        Some((at, text)) if *at >= asked => vec![reason_of_activity(text)],
        _ => {
            let text = format!(
                "group {} is to have {} instances",
                group.name, group.desired
            );
            vec![Reason::new(ReasonCode::ScaleUpTriggered, text)]
        }
    }
}

/// Members of the group by their id, and whether each is protected.
fn protected(group: &Group) -> BTreeSet<&str> {
    let is_safe = group
        .members
        .iter()
        .filter(|(_, is_protected)| *is_protected);
    is_safe.map(|(id, _)| id.as_str()).collect()
}
