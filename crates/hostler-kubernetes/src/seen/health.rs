//! Whether what is known is all there is, and how old it is.

use hostler_core::Timestamp;
use hostler_core::runner::{Reason, ReasonCode};

use crate::watch::{State, World};

/// Nodes and events can be done without; placeholders and programs cannot.
pub(super) fn is_synced(world: &World) -> bool {
    let nodes = world.nodes.is_listed || matches!(world.nodes.state, State::Denied(_));
    world.placeholders.is_listed && world.programs.is_listed && nodes
}

/// What hinders us from seeing, and since when what is seen may be old.
pub(super) fn problem(world: &World) -> (Option<Reason>, Option<Timestamp>) {
    let needed = [&world.placeholders.state, &world.programs.state];
    let denied = needed.into_iter().find_map(|state| match state {
        State::Denied(why) => Some(Reason::new(ReasonCode::Denied, why.as_str())),
        _ => None,
    });
    let all = [needed[0], needed[1], &world.nodes.state];
    let failing = all.into_iter().filter_map(|state| match state {
        State::Failing(since, why) => Some((*since, why)),
        _ => None,
    });
    let first = failing.min_by_key(|(since, _)| *since);
    let silent = first.map(|(_, why)| Reason::new(ReasonCode::ProviderUnreachable, why.as_str()));
    (denied.or(silent), first.map(|(since, _)| since))
}

/// Rights that are missing and can be done without, and what that costs.
pub(super) fn lacks(world: &World) -> Vec<String> {
    let denied = |state: &State| matches!(state, State::Denied(_));
    let nodes = "nodes: get, list, watch at the cluster scope: addresses and readiness come from \
        pods alone";
    let events = "events: get, list, watch: what the autoscaler says is not known";
    let watches = [
        denied(&world.nodes.state).then_some(nodes),
        denied(&world.events.state).then_some(events),
    ];
    let watches = watches.into_iter().flatten();
    watches
        .chain(world.lacks.iter().copied())
        .map(str::to_owned)
        .collect()
}
