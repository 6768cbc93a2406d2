//! From a call to what it does. The table of contents of the API.

use super::answer::Answer;
use super::call::Call;
use super::{delete, discovery, list, patch, review, subresource, watch, write};
use crate::access::{allowed, denied};
use crate::catalog::{ACCESS_REVIEWS, Resource};
use crate::refusal::Refusal;
use crate::world::World;

/// Answers a call that no fault has met.
pub(crate) fn route(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let asked = &call.info.asked;
    if !allowed(&world.store, &call.user, asked) {
        return Err(denied(&call.user, asked));
    }
    match call.info.resource {
        Some(resource) => on_resource(world, call, resource),
        None if call.info.is_resource => Err(Refusal::no_such_page()),
        None => discovery::page(call),
    }
}

fn on_resource(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let asked = &call.info.asked;
    if resource.id() == ACCESS_REVIEWS.id() {
        return match asked.verb.as_str() {
            "create" => review::answer(world, call),
            _ => Err(Refusal::method("the requested resource")),
        };
    }
    let sub = asked.subresource.as_str();
    if !sub.is_empty() && !resource.subresources.contains(&sub) {
        return Err(Refusal::no_such_page());
    }
    match (asked.verb.as_str(), sub) {
        ("get", "" | "status") => list::get(world, call, resource),
        ("list", _) => list::list(world, call, resource),
        ("watch", _) => watch::begin(world, call, resource),
        ("create", "") if is_placed(call, resource) => write::create(world, call, resource),
        ("create", "binding") => subresource::bind(world, call),
        ("create", "eviction") => subresource::evict(world, call),
        ("update", "" | "status") => write::update(world, call, resource),
        ("patch", "" | "status") => patch::patch(world, call, resource),
        ("delete", "") => delete::one(world, call, resource),
        ("deletecollection", _) if is_placed(call, resource) => {
            delete::collection(world, call, resource)
        }
        _ => Err(Refusal::method("the requested resource")),
    }
}

/// What is in namespaces is created and cleared in one of them.
fn is_placed(call: &Call, resource: &Resource) -> bool {
    let named = call.info.asked.verb == "create" && !call.info.asked.name.is_empty();
    !named && resource.namespaced != call.info.space().is_empty()
}
