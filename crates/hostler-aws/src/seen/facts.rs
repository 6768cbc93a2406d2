//! The facts of one runner from its instance.

use std::collections::BTreeMap;

use hostler_core::runner::{PoolName, Program, Reason, ReasonCode, Request, RunnerFacts};

use super::death::{Death, death};
use super::{Listed, machine, runner};
use crate::cloud::{Health, Instance, State};
use crate::names::{Claim, tag};

/// How it is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Eye {
    /// Whether a machine is at work only once its status checks passed.
    pub(crate) checks: bool,
    /// The pool of what does not say.
    pub(crate) usual: PoolName,
}

/// The facts of the runner on this instance; none when it is over.
pub(super) fn facts(one: &Instance, listed: &Listed, eye: &Eye) -> Option<RunnerFacts> {
    if one.tags.contains_key(tag::RELEASED) && !one.state.lives() {
        return None;
    }
    let mut facts = born(one, eye)?;
    match one.state {
        State::Pending => {
            let text = format!("instance {} is being started", one.id);
            facts.reasons = vec![Reason::new(ReasonCode::ScaleUpTriggered, text)];
        }
        State::Running | State::Stopped => stands(&mut facts, one, listed, eye),
        State::Ending | State::Ended => ends(&mut facts, one, listed, eye)?,
    }
    Some(facts)
}

fn born(one: &Instance, eye: &Eye) -> Option<RunnerFacts> {
    let id = runner(one)?;
    let claim = Claim::of_tags(&one.tags);
    let tagged = one.tags.get(tag::POOL).and_then(|pool| pool.parse().ok());
    let pool = tagged.unwrap_or_else(|| eye.usual.clone());
    let mark = claim.as_ref().map(|claim| claim.mark);
    let mut facts = RunnerFacts::waiting(id, pool, mark, one.launched);
    facts.extra = extra(one, claim.as_ref());
    Some(facts)
}

fn extra(one: &Instance, claim: Option<&Claim>) -> BTreeMap<String, String> {
    let mut extra = one.extra.clone();
    extra.insert("instance_id".to_owned(), one.id.clone());
    extra.extend(claim.map(|claim| ("generation".to_owned(), claim.generation.to_string())));
    extra.extend(one.group.clone().map(|group| ("group".to_owned(), group)));
    extra
}

fn stands(facts: &mut RunnerFacts, one: &Instance, listed: &Listed, eye: &Eye) {
    let health = listed.healths.get(&one.id).copied();
    facts.request = Request::Placed;
    facts.machine = Some(machine(one, listed, eye));
    facts.program = Program {
        name: Some("hostler-node".to_owned()),
        is_running: one.state == State::Running,
        is_ready: !eye.checks || health == Some(Health::Well),
        failing_since: None,
    };
    let reason = |code, text: &str| Reason::new(code, format!("instance {} {text}", one.id));
    if listed.notices.contains(&one.id) {
        let text = "was given notice: EC2 takes spot instances back when it needs them";
        facts
            .reasons
            .push(reason(ReasonCode::InterruptionNotice, text));
    }
    if one.state == State::Stopped {
        facts
            .reasons
            .push(reason(ReasonCode::NodeNotReady, "is stopped"));
    } else if health == Some(Health::Impaired) {
        facts
            .reasons
            .push(reason(ReasonCode::NodeNotReady, "fails its status checks"));
    }
}

/// What was asked to end is shown until it has.
fn ends(facts: &mut RunnerFacts, one: &Instance, listed: &Listed, eye: &Eye) -> Option<()> {
    match death(one) {
        Death::Asked if one.state == State::Ended => return None,
        Death::Asked => {
            stands(facts, one, listed, eye);
            facts.is_terminating = true;
        }
        Death::Stillborn(reason) => {
            facts.request = Request::Failed;
            facts.reasons = vec![reason];
        }
        Death::Lost(reason) => {
            stands(facts, one, listed, eye);
            let machine = facts.machine.as_mut()?;
            machine.exists = Some(false);
            facts.reasons = vec![reason];
        }
    }
    Some(())
}
