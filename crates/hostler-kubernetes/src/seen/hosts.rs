//! All machines of the pools, and who is on them. Where nodes may not be looked
//! at: those that a placeholder or a program is on.

use std::collections::BTreeSet;

use hostler_core::runner::{Machine, RunnerId};
use hostler_runners::provider::Host;

use super::{Look, is_own, program};
use crate::watch::{Key, Node};

pub(super) fn all(look: &Look<'_>) -> Vec<Host> {
    if look.sees_nodes() {
        let nodes = look.world.nodes.rows.iter();
        return nodes
            .filter(|((_, name), node)| node.is_of_pool || runs_any(look, name))
            .map(|((_, name), node)| host(look, seen(name, node)))
            .collect();
    }
    let names: BTreeSet<&str> = look
        .on_node
        .keys()
        .chain(look.programs.keys())
        .copied()
        .collect();
    names
        .into_iter()
        .map(|name| host(look, guessed(look, name)))
        .collect()
}

fn runs_any(look: &Look<'_>, name: &str) -> bool {
    look.on_node.contains_key(name)
}

fn host(look: &Look<'_>, machine: Machine) -> Host {
    let program = program::on(look, &machine.name).map(|((_, name), _)| name.clone());
    let here = look
        .on_node
        .get(machine.name.as_str())
        .into_iter()
        .flatten();
    let own = here.filter(|(key, one)| is_own(look.eye, key, one));
    let id = |(_, name): &Key| name.parse::<RunnerId>().ok();
    let runners = own.filter_map(|(key, _)| id(key)).collect();
    Host {
        machine,
        runners,
        program,
    }
}

fn seen(name: &str, node: &Node) -> Machine {
    Machine {
        name: name.to_owned(),
        internal_ips: node.ips.clone(),
        is_ready: Some(node.is_ready),
        exists: Some(true),
        is_cordoned: node.is_cordoned,
    }
}

fn guessed(look: &Look<'_>, name: &str) -> Machine {
    let placeholder = look.on_node.get(name).and_then(|those| those.first());
    let program = look.programs.get(name).and_then(|those| those.first());
    let ips = placeholder
        .map(|(_, one)| &one.ips)
        .or(program.map(|(_, one)| &one.ips));
    Machine {
        name: name.to_owned(),
        internal_ips: ips.cloned().unwrap_or_default(),
        ..Machine::default()
    }
}
