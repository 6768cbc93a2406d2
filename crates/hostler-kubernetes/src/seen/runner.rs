//! A placeholder as a runner's facts.

use std::collections::BTreeMap;

use hostler_core::runner::{Request, RunnerFacts, RunnerId};

use super::{Look, machine, program, reasons};
use crate::watch::{Key, Phase, Placeholder};

pub(super) fn facts(
    look: &Look<'_>,
    id: RunnerId,
    key: &Key,
    one: &Placeholder,
) -> Option<RunnerFacts> {
    let elder = elder(look, key, one);
    let pool = one.pool.clone().or_else(|| look.eye.pool.clone())?;
    let is_placed = one.phase == Phase::Bound && elder.is_none();
    let program = one
        .node
        .as_deref()
        .filter(|_| is_placed)
        .and_then(|node| program::on(look, node));
    Some(RunnerFacts {
        id,
        created: one.created,
        mark: one.mark,
        pool,
        request: request(one, elder.is_some()),
        machine: is_placed.then(|| machine::of(look, one)).flatten(),
        reasons: reasons::all(look, one, program, elder),
        program: program::facts(program),
        is_terminating: one.is_terminating,
        extra: BTreeMap::new(),
    })
}

fn request(one: &Placeholder, is_younger: bool) -> Request {
    match one.phase {
        Phase::Waiting => Request::Waiting,
        Phase::Bound if !is_younger => Request::Placed,
        Phase::Bound | Phase::Ended => Request::Failed,
    }
}

/// The placeholder whose node this is: the oldest on it, where there are two
/// by mistake. One that is ending has no claim any more.
fn elder<'a>(look: &Look<'a>, key: &Key, one: &Placeholder) -> Option<&'a str> {
    let node = one.node.as_deref().filter(|_| one.phase == Phase::Bound)?;
    let mut others = look.on_node.get(node)?.iter();
    let (first, _) = others.find(|(_, other)| !other.is_terminating)?;
    (*first != key && !one.is_terminating).then_some(first.1.as_str())
}
