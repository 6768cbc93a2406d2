//! What stands between a body and the store: is it whole, may it be in its
//! namespace, what does it leave unsaid, does it keep to Pod Security and
//! quota. In this order, as a request meets them.

mod check;
mod defaults;
mod pod_security;
mod quota;

use serde_json::{Value, json};

use crate::catalog::{NAMESPACES, PODS, Resource};
use crate::json::{map, moment, text};
use crate::refusal::Refusal;
use crate::world::World;

pub(crate) use check::unchanged_but_for_what_may;

/// Lets a body of a create request in, completed; or says why not.
pub(crate) fn admit(
    world: &mut World,
    resource: &Resource,
    space: &str,
    value: &mut Value,
) -> Result<(), Refusal> {
    check::envelope(resource, value)?;
    name(world, resource, value)?;
    check::place(resource, space, value)?;
    let named = text(value, "/metadata/name").to_owned();
    if resource.namespaced {
        value["metadata"]["namespace"] = json!(space);
        namespace(world, resource, space, &named)?;
    }
    check::content(resource, value)?;
    if resource.has_status() && resource.plural != "nodes" {
        value["status"] = json!({});
    }
    complete(world, resource, value);
    if resource.id() == PODS.id() {
        pod_security::check(world, space, value)?;
        quota::check(world, space, value)?;
    }
    Ok(())
}

/// Gives a body what every stored object has.
pub(crate) fn complete(world: &mut World, resource: &Resource, value: &mut Value) {
    value["apiVersion"] = json!(resource.api_version());
    value["kind"] = json!(resource.kind);
    let uid = world.uid();
    let now = moment(world.now());
    let meta = map(value, "metadata");
    meta["uid"] = json!(uid);
    meta["creationTimestamp"] = now;
    if matches!(resource.plural, "daemonsets" | "deployments") {
        meta["generation"] = json!(1);
    }
    defaults::fill(world, resource, value);
}

fn name(world: &mut World, resource: &Resource, value: &mut Value) -> Result<(), Refusal> {
    let prefix = text(value, "/metadata/generateName").to_owned();
    if text(value, "/metadata/name").is_empty() && !prefix.is_empty() {
        value["metadata"]["name"] = json!(format!("{prefix}{}", world.suffix()));
    }
    check::name(resource, text(value, "/metadata/name"))
}

/// A namespace must be there and must not be ending.
fn namespace(world: &World, resource: &Resource, space: &str, name: &str) -> Result<(), Refusal> {
    let Some(found) = world.store.get(&NAMESPACES, "", space) else {
        return Err(Refusal::not_found(&NAMESPACES, space));
    };
    if text(found.value(), "/status/phase") != "Terminating" {
        return Ok(());
    }
    let why =
        format!("unable to create new content in namespace {space} because it is being terminated");
    let mut refusal = Refusal::forbidden(resource, name, &why);
    let message = format!("namespace {space} is being terminated");
    refusal.details["causes"] = json!([{
        "reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace",
    }]);
    Err(refusal)
}
