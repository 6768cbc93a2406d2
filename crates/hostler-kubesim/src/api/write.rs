//! Creating and replacing. Whoever replaces must have seen the latest when it
//! says which version it saw; a status is only changed through `status`, and
//! nothing else is changed there.

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::{events, shape};
use crate::admission::{admit, unchanged_but_for_what_may};
use crate::catalog::{EVENTS_NEW, Resource};
use crate::json::{list, map, text};
use crate::refusal::Refusal;
use crate::world::World;

/// The body as the store would have it.
fn body(call: &Call, resource: &'static Resource) -> Result<Value, Refusal> {
    let value = call.json()?;
    if std::ptr::eq(resource, &raw const EVENTS_NEW) {
        return Ok(events::core(&value));
    }
    Ok(value)
}

/// What events are kept as, whichever group they come by.
fn kept(resource: &'static Resource) -> &'static Resource {
    if std::ptr::eq(resource, &raw const EVENTS_NEW) {
        &crate::catalog::EVENTS
    } else {
        resource
    }
}

pub(crate) fn create(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    create_of(world, call, resource, body(call, resource)?)
}

/// Creates what has come about otherwise than as a plain body.
pub(crate) fn create_of(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
    mut value: Value,
) -> Result<Answer, Refusal> {
    let space = call.info.space();
    admit(world, kept(resource), space, &mut value)?;
    let name = text(&value, "/metadata/name");
    if world.store.get(resource, space, name).is_some() {
        return Err(Refusal::exists(resource, name));
    }
    if call.query.is_dry() {
        let shown = shape::value(call.shape, resource, &value, world.now());
        return Ok(Answer::bytes(201, shown));
    }
    let object = world.store.put(resource, value);
    Ok(Answer::bytes(
        201,
        shape::one(call.shape, resource, &object, world.now()),
    ))
}

pub(crate) fn update(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let mut value = body(call, resource)?;
    let name = &call.info.asked.name;
    let said = text(&value, "/metadata/name");
    if !said.is_empty() && said != name.as_str() {
        let message =
            format!("the name of the object ({said}) does not match the name on the URL ({name})");
        return Err(Refusal::bad(message));
    }
    let is_new = world.store.get(resource, call.info.space(), name).is_none();
    let unseen = text(&value, "/metadata/resourceVersion").is_empty();
    if resource.plural == "leases" {
        if is_new && unseen {
            value["metadata"]["name"] = json!(name);
            return create_of(world, call, resource, value);
        }
        if unseen {
            let why = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
            return Err(Refusal::invalid(resource, name, why));
        }
    }
    replace(world, call, resource, value)
}

/// Puts a changed object in the place of the present one.
pub(crate) fn replace(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
    value: Value,
) -> Result<Answer, Refusal> {
    let (space, name) = (call.info.space(), call.info.asked.name.as_str());
    let found = world.store.get(resource, space, name);
    let before = found
        .ok_or_else(|| Refusal::not_found(resource, name))?
        .value()
        .clone();
    is_latest(resource, &before, &value)?;
    let after = merged(
        resource,
        &before,
        value,
        call.info.asked.subresource == "status",
    );
    unchanged_but_for_what_may(resource, &before, &after)?;
    if call.query.is_dry() || after == before {
        let shown = shape::value(call.shape, resource, &after, world.now());
        return Ok(Answer::bytes(200, shown));
    }
    let deleted = !text(&after, "/metadata/deletionTimestamp").is_empty();
    let held = resource.plural == "pods" || resource.plural == "namespaces";
    let object = if deleted && !held && list(&after, "/metadata/finalizers").is_empty() {
        world.store.put(resource, after);
        world.store.remove(resource, space, name)
    } else {
        Some(world.store.put(resource, after))
    };
    let object = object.ok_or_else(|| Refusal::not_found(resource, name))?;
    Ok(Answer::bytes(
        200,
        shape::one(call.shape, resource, &object, world.now()),
    ))
}

fn is_latest(resource: &Resource, before: &Value, after: &Value) -> Result<(), Refusal> {
    let name = text(before, "/metadata/name");
    let seen = text(after, "/metadata/resourceVersion");
    if !seen.is_empty() && seen != text(before, "/metadata/resourceVersion") {
        let why = "the object has been modified; please apply your changes to the latest version \
                   and try again";
        return Err(Refusal::conflict(resource, name, why));
    }
    let said = text(after, "/metadata/uid");
    let uid = text(before, "/metadata/uid");
    if !said.is_empty() && said != uid {
        let why =
            format!("Precondition failed: UID in precondition: {said}, UID in object meta: {uid}");
        return Err(Refusal::conflict(resource, name, &why));
    }
    Ok(())
}

/// What stays as it was, whatever the body says.
fn merged(resource: &Resource, before: &Value, mut after: Value, is_status: bool) -> Value {
    if is_status {
        let mut whole = before.clone();
        whole["status"] = after["status"].take();
        return whole;
    }
    after["apiVersion"] = before["apiVersion"].clone();
    after["kind"] = before["kind"].clone();
    let fixed = [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
        "generation",
        "generateName",
    ];
    let meta = map(&mut after, "metadata");
    for key in fixed {
        let was = &before["metadata"][key];
        match (was, meta.as_object_mut()) {
            (Value::Null, Some(members)) => drop(members.remove(key)),
            _ => meta[key] = was.clone(),
        }
    }
    if resource.has_status() {
        after["status"] = before["status"].clone();
    }
    if let Some(generation) = before["metadata"]["generation"].as_u64()
        && after["spec"] != before["spec"]
    {
        after["metadata"]["generation"] = json!(generation + 1);
    }
    after
}
