//! What is done to a pod through a name of its own: binding, eviction.

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use crate::catalog::PODS;
use crate::control::scheduler;
use crate::json::text;
use crate::refusal::Refusal;
use crate::world::World;

/// Binds a pod to a node, as a scheduler does.
pub(crate) fn bind(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let body = call.json()?;
    let (space, name) = (call.info.space(), call.info.asked.name.as_str());
    let found = world.store.get(&PODS, space, name);
    let pod = found.ok_or_else(|| Refusal::not_found(&PODS, name))?;
    let bound = pod.pod().node.clone();
    if !bound.is_empty() {
        let why = format!("pod {name} is already assigned to node \"{bound}\"");
        return Err(Refusal::conflict(&PODS, name, &why));
    }
    scheduler::bind(world, (space, name), text(&body, "/target/name"));
    Ok(Answer::json(201, &success()))
}

/// Deletes a pod within its grace. No disruption budget is kept here, so it
/// is never refused for one.
pub(crate) fn evict(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let body = call.json_or_nothing()?;
    let (space, name) = (call.info.space(), call.info.asked.name.as_str());
    let found = world.store.get(&PODS, space, name);
    let pod = found.ok_or_else(|| Refusal::not_found(&PODS, name))?;
    let own = pod.value()["spec"]["terminationGracePeriodSeconds"].as_i64();
    let asked = body["deleteOptions"]["gracePeriodSeconds"].as_i64();
    if !call.query.is_dry() {
        world.pod_delete(space, name, asked.or(own).unwrap_or(30));
    }
    Ok(Answer::json(201, &success()))
}

fn success() -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    })
}
