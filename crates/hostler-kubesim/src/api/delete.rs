//! Deleting: pods within a grace once they are bound, at once before; others
//! at once, unless finalizers hold them.

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::shape;
use crate::catalog::Resource;
use crate::json::{list as rows, map, moment, text};
use crate::refusal::Refusal;
use crate::world::World;

pub(crate) fn one(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let (space, name) = (call.info.space(), call.info.asked.name.as_str());
    let options = options(call)?;
    let found = world.store.get(resource, space, name);
    let before = found
        .ok_or_else(|| Refusal::not_found(resource, name))?
        .value()
        .clone();
    preconditions(resource, &before, &options)?;
    if call.query.is_dry() {
        return Ok(Answer::json(200, &before));
    }
    delete(world, resource, &before, &options);
    let shows = matches!(
        resource.plural,
        "pods" | "serviceaccounts" | "resourcequotas"
    );
    match world.store.get(resource, space, name) {
        Some(left) => Ok(Answer::bytes(
            200,
            shape::one(call.shape, resource, left, world.now()),
        )),
        None if shows => Ok(Answer::json(200, &gone(before, moment(world.now())))),
        None => Ok(Answer::json(200, &success(resource, &before))),
    }
}

/// Deletes everything that is selected; answers with the list.
pub(crate) fn collection(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let options = options(call)?;
    let selectors = call.selectors(resource)?;
    let all = world.store.list(resource, call.info.space());
    let meant = all.filter(|object| selectors.matches(object.value()));
    let meant: Vec<_> = meant.map(std::sync::Arc::clone).collect();
    if !call.query.is_dry() {
        for object in &meant {
            delete(world, resource, object.value(), &options);
        }
    }
    let meta = json!({"resourceVersion": world.store.version().to_string()});
    let body = shape::list(call.shape, resource, &meant, (&meta, world.now()));
    Ok(Answer::bytes(200, body))
}

/// Options of the body; those of the query where it has none.
fn options(call: &Call) -> Result<Value, Refusal> {
    let mut options = call.json_or_nothing()?;
    if let Some(seconds) = call.query.number("gracePeriodSeconds")?
        && options["gracePeriodSeconds"].is_null()
    {
        options["gracePeriodSeconds"] = json!(seconds);
    }
    Ok(options)
}

fn preconditions(resource: &Resource, before: &Value, options: &Value) -> Result<(), Refusal> {
    let name = text(before, "/metadata/name");
    for (what, word) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let wanted = text(options, &format!("/preconditions/{what}"));
        let found = text(before, &format!("/metadata/{what}"));
        if !wanted.is_empty() && wanted != found {
            let why = format!(
                "Precondition failed: {word} in precondition: {wanted}, {word} in object meta: \
                 {found}"
            );
            return Err(Refusal::conflict(resource, name, &why));
        }
    }
    Ok(())
}

fn delete(world: &mut World, resource: &Resource, object: &Value, options: &Value) {
    let (space, name) = (
        text(object, "/metadata/namespace"),
        text(object, "/metadata/name"),
    );
    match resource.plural {
        "pods" => {
            let own = object["spec"]["terminationGracePeriodSeconds"].as_i64();
            let asked = options["gracePeriodSeconds"].as_i64();
            world.pod_delete(space, name, asked.or(own).unwrap_or(30));
        }
        "namespaces" => mark(world, resource, (space, name), true),
        _ if rows(object, "/metadata/finalizers").is_empty() => {
            world.store.remove(resource, space, name);
        }
        _ => mark(world, resource, (space, name), false),
    }
}

fn mark(world: &mut World, resource: &Resource, key: (&str, &str), ends: bool) {
    let now = moment(world.now());
    world.change(resource, key, |object| {
        if object["metadata"]["deletionTimestamp"].is_null() {
            map(object, "metadata")["deletionTimestamp"] = now;
        }
        if ends {
            map(object, "status")["phase"] = json!("Terminating");
        }
    });
}

/// A pod that is gone at once says so by a grace of nothing.
fn gone(mut object: Value, now: Value) -> Value {
    if object["kind"] == json!("Pod") {
        object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        object["metadata"]["deletionTimestamp"] = now;
    }
    object
}

fn success(resource: &Resource, object: &Value) -> Value {
    let mut details = json!({
        "name": object["metadata"]["name"], "kind": resource.plural,
        "uid": object["metadata"]["uid"],
    });
    if !resource.group.is_empty() {
        details["group"] = json!(resource.group);
    }
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details,
    })
}
