//! Saying why a pod has no node: a condition and an event, in the words of
//! the scheduler. Not at every change of a busy cluster: a pod hears a new
//! reason at most every ten seconds.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::Reasons;
use crate::catalog::PODS;
use crate::control::facts::PodFacts;
use crate::json::{condition, condition_set, text};
use crate::record::{self, Said};
use crate::world::World;

const PAUSE: TimeDelta = TimeDelta::seconds(10);

pub(crate) fn refuse(world: &mut World, pod: &PodFacts, reasons: &Reasons, nodes: usize) {
    let key = (pod.space.clone(), pod.name.clone());
    let Some(before) = world
        .store
        .get(&PODS, &pod.space, &pod.name)
        .map(Arc::clone)
    else {
        return;
    };
    let message = reasons.message(nodes);
    let told = condition(before.value(), "PodScheduled").map_or("", |one| text(one, "/message"));
    if told == message {
        return;
    }
    let now = world.now();
    if let Some(last) = world.memory.told.get(&key)
        && now < *last + PAUSE
    {
        let again = *last + PAUSE;
        world.wake_at(again);
        return;
    }
    world.memory.told.insert(key, now);
    let condition = json!({
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
    });
    world.change(&PODS, (&pod.space, &pod.name), |pod| {
        condition_set(pod, condition, now);
    });
    let said = Said {
        by: "default-scheduler",
        reason: "FailedScheduling",
        message,
        warning: true,
    };
    record::event(world, before.value(), &said);
}
