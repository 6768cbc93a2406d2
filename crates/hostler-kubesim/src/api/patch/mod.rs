//! Patches: of the four kinds that clients send. Server-side apply is a
//! strategic merge that also creates; whose field is whose is not kept.

mod json;
mod merge;

use serde_json::{Value, json as value};

use super::answer::Answer;
use super::call::Call;
use super::write::{create_of, replace};
use crate::catalog::Resource;
use crate::refusal::Refusal;
use crate::world::World;

pub(crate) fn patch(
    world: &mut World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let name = &call.info.asked.name;
    let found = world.store.get(resource, call.info.space(), name);
    let before = found.map(|object| object.value().clone());
    let kind = call.content_type.split(';').next().unwrap_or_default();
    match (before, kind) {
        (None, "application/apply-patch+yaml") => {
            let mut body = call.json()?;
            body["metadata"]["name"] = value!(name);
            create_of(world, call, resource, body)
        }
        (None, _) => Err(Refusal::not_found(resource, name)),
        (Some(before), kind) => {
            let after = patched(before, kind, call)?;
            replace(world, call, resource, after)
        }
    }
}

fn patched(mut before: Value, kind: &str, call: &Call) -> Result<Value, Refusal> {
    let body = call.json()?;
    match kind {
        "application/merge-patch+json" => merge::plain(&mut before, body),
        "application/strategic-merge-patch+json" | "application/apply-patch+yaml" => {
            merge::strategic(&mut before, body);
        }
        "application/json-patch+json" => json::apply(&mut before, &body)?,
        _ => {
            let message = "the body of the request was in an unknown format - accepted media \
                           types include: application/json-patch+json, \
                           application/merge-patch+json, application/apply-patch+yaml";
            return Err(Refusal::new(415, "UnsupportedMediaType", message));
        }
    }
    Ok(before)
}
