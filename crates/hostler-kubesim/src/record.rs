//! Events that the cluster's own parts write about objects.
//!
//! What is said again about the same object is not written anew: its count
//! and its time go up, as a recorder folds it.

use serde_json::{Value, json};

use crate::catalog::EVENTS;
use crate::json::{moment, moment_fine, text};
use crate::world::World;

/// One thing to be said.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    /// The part that says it: `default-scheduler`, `cluster-autoscaler`.
    pub(crate) by: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: String,
    pub(crate) warning: bool,
}

/// Says something about an object. Said within five minutes, the same only
/// counts once.
pub(crate) fn event(world: &mut World, about: &Value, said: &Said<'_>) {
    let key = format!(
        "{}/{}/{}",
        text(about, "/metadata/uid"),
        said.reason,
        said.message
    );
    let name = event_name(world, about, &key);
    let space = event_space(about);
    let now = world.now();
    if let Some(before) = world.store.get(&EVENTS, space, &name) {
        let last = crate::json::moment_at(before.value(), "/lastTimestamp");
        if last.is_some_and(|last| now - last < chrono::TimeDelta::minutes(5)) {
            return;
        }
        let space = space.to_owned();
        world.change(&EVENTS, (&space, &name), |event| {
            event["count"] = json!(event["count"].as_u64().unwrap_or(1) + 1);
            event["lastTimestamp"] = moment(now);
        });
        return;
    }
    let body = body(about, said, (&name, space), now);
    world.create(&EVENTS, body);
}

fn event_name(world: &mut World, about: &Value, key: &str) -> String {
    if let Some(name) = world.memory.said.get(key) {
        return name.clone();
    }
    let name = format!("{}.{:016x}", text(about, "/metadata/name"), world.random());
    world.memory.said.insert(key.to_owned(), name.clone());
    name
}

/// Events of what is in no namespace are in `default`.
fn event_space(about: &Value) -> &str {
    match text(about, "/metadata/namespace") {
        "" => "default",
        space => space,
    }
}

fn body(
    about: &Value,
    said: &Said<'_>,
    (name, space): (&str, &str),
    now: chrono::DateTime<chrono::Utc>,
) -> Value {
    let scheduler = said.by == "default-scheduler";
    json!({
        "metadata": {"name": name, "namespace": space},
        "involvedObject": {
            "apiVersion": about["apiVersion"], "kind": about["kind"],
            "name": about["metadata"]["name"], "namespace": about["metadata"]["namespace"],
            "uid": about["metadata"]["uid"],
            "resourceVersion": about["metadata"]["resourceVersion"],
        },
        "reason": said.reason, "message": said.message,
        "type": if said.warning { "Warning" } else { "Normal" },
        "source": {"component": said.by},
        "reportingComponent": said.by, "reportingInstance": "",
        "action": if scheduler { json!("Scheduling") } else { Value::Null },
        "eventTime": if scheduler { moment_fine(now) } else { Value::Null },
        "firstTimestamp": moment(now), "lastTimestamp": moment(now), "count": 1,
    })
}
