//! The node a placeholder is on. Where nodes may not be looked at, its pods
//! say what it is called and where it is.

use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::runner::Machine;

use super::Look;
use crate::watch::{Node, Phase, Placeholder, State};

/// How long the watch of nodes may be behind that of pods.
const BEHIND: Duration = Duration::from_secs(5);

/// The machine of this placeholder, if it is on one.
pub(super) fn of(look: &Look<'_>, one: &Placeholder) -> Option<Machine> {
    let name = one.node.clone()?;
    let node = node(look, &name);
    let exists = match node {
        _ if !look.sees_nodes() => None,
        Some(_) => Some(true),
        None => is_lost(look, one, &name).then_some(false),
    };
    Some(Machine {
        internal_ips: ips(one, node),
        is_ready: node.map(|node| node.is_ready),
        is_cordoned: node.is_some_and(|node| node.is_cordoned),
        exists,
        name,
    })
}

pub(super) fn node<'a>(look: &Look<'a>, name: &str) -> Option<&'a Node> {
    let key = (String::new(), name.to_owned());
    look.world
        .nodes
        .rows
        .get(&key)
        .filter(|_| look.sees_nodes())
}

/// A pod may be told of before its node is; so it is not lost at once, unless
/// we have seen the node go.
fn is_lost(look: &Look<'_>, one: &Placeholder, name: &str) -> bool {
    let key = (String::new(), name.to_owned());
    let is_sure = sure_from(look, one).is_some_and(|from| look.now >= from);
    look.world.nodes.is_gone(&key) || is_sure
}

/// From when on a node that is not there is believed to be gone; never while
/// nodes are not being watched.
fn sure_from(look: &Look<'_>, one: &Placeholder) -> Option<Timestamp> {
    match look.world.nodes.state {
        State::Following(since) => Some(one.placed_since?.max(since) + BEHIND),
        _ => None,
    }
}

/// Until when it is not known whether the node of this placeholder is lost.
pub(super) fn doubted_until(look: &Look<'_>, one: &Placeholder) -> Option<Timestamp> {
    let name = one.node.as_ref().filter(|_| one.phase == Phase::Bound)?;
    let is_unknown = look.sees_nodes() && node(look, name).is_none();
    sure_from(look, one).filter(|until| is_unknown && look.now < *until)
}

/// All internal addresses, that of the node's primary family first: the one
/// its pods call their host's.
fn ips(one: &Placeholder, node: Option<&Node>) -> Vec<String> {
    let mut ips = node.map(|node| node.ips.clone()).unwrap_or_default();
    if ips.is_empty() {
        return one.ips.clone();
    }
    if let Some(primary) = one.ips.first() {
        ips.sort_by_key(|ip| ip != primary);
    }
    ips
}
