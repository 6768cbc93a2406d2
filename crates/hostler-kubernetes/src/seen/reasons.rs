//! What is said about a runner, the weightiest first. Events are hints: they
//! come late, folded, or not at all, so none of them is a state.

use hostler_core::runner::{Reason, ReasonCode};

use super::program::Named;
use super::{Look, machine, program};
use crate::watch::{Event, Phase, Placeholder};

pub(super) fn all(
    look: &Look<'_>,
    one: &Placeholder,
    program: Option<Named<'_>>,
    elder: Option<&str>,
) -> Vec<Reason> {
    match (one.phase, elder) {
        (_, Some(elder)) => vec![duplicate(one, elder)],
        (Phase::Waiting, None) => waiting(look, one),
        (Phase::Ended, None) => {
            let text = one
                .why
                .clone()
                .unwrap_or_else(|| "the pod ended".to_owned());
            vec![Reason::new(ReasonCode::RequestFailed, text)]
        }
        (Phase::Bound, None) => placed(look, one, program),
    }
}

fn duplicate(one: &Placeholder, elder: &str) -> Reason {
    let node = one.node.as_deref().unwrap_or_default();
    let text = format!("{node} is the machine of {elder}, which is older");
    Reason {
        hint: Some("remove it: its machine stays with the older one".to_owned()),
        ..Reason::new(ReasonCode::RequestFailed, text)
    }
}

/// The autoscaler's last word, then the scheduler's: the scheduler repeats
/// itself, and does not know whether a node is on its way.
fn waiting(look: &Look<'_>, one: &Placeholder) -> Vec<Reason> {
    let said = look
        .events
        .get(one.uid.as_str())
        .map_or(&[][..], Vec::as_slice);
    let last = |of_autoscaler: bool| {
        let those = said
            .iter()
            .filter(|event| event.is_of_autoscaler == of_autoscaler);
        those.max_by_key(|event| (event.at, &event.uid))
    };
    let reason = |event: &&Event| event.reason.clone();
    let condition = one.why.as_ref();
    let condition = condition.map(|text| Reason::new(ReasonCode::Unschedulable, text.as_str()));
    let scheduler = condition.or_else(|| last(false).map(reason));
    last(true)
        .map(reason)
        .into_iter()
        .chain(scheduler)
        .collect()
}

fn placed(look: &Look<'_>, one: &Placeholder, program: Option<Named<'_>>) -> Vec<Reason> {
    let name = one.node.as_deref().unwrap_or_default();
    let node = machine::node(look, name);
    let unwell = node.filter(|node| !node.is_ready).map(|node| {
        let why = node.why.as_deref().unwrap_or("it says nothing");
        Reason::new(
            ReasonCode::NodeNotReady,
            format!("the machine {name} is not ready: {why}"),
        )
    });
    let trouble = program.and_then(|(_, program)| program.trouble.clone());
    let missing = program.is_none().then(|| missing(look, name));
    let notice = node.and_then(|node| node.notice).map(|taint| {
        let text = format!("the machine {name} will be taken away: {taint}");
        Reason::new(ReasonCode::InterruptionNotice, text)
    });
    [unwell, trouble, missing.flatten(), notice]
        .into_iter()
        .flatten()
        .collect()
}

fn missing(look: &Look<'_>, node: &str) -> Option<Reason> {
    let ((namespace, name), _) = program::elsewhere(look, node)?;
    let own = &look.eye.programs_in;
    let text = format!("{name} is on {node} in namespace {namespace}; it is looked for in {own}");
    Some(Reason {
        hint: Some(format!("set RUNNER_POD_NAMESPACE={namespace}")),
        ..Reason::new(ReasonCode::ProgramMissing, text)
    })
}
