//! "May I?", answered from the same decision as real requests, with the
//! namespace that the asker names. For what is in no namespace that is a
//! trap: naming one makes its bindings count here, and never in a request.

use serde_json::json;

use super::answer::Answer;
use super::call::Call;
use crate::access::{Asked, allowed};
use crate::json::text;
use crate::refusal::Refusal;
use crate::world::World;

pub(crate) fn answer(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let mut body = call.json()?;
    let word = |path: &str| text(&body, path).to_owned();
    let mut asked = Asked {
        verb: word("/spec/resourceAttributes/verb"),
        group: word("/spec/resourceAttributes/group"),
        resource: word("/spec/resourceAttributes/resource"),
        subresource: word("/spec/resourceAttributes/subresource"),
        space: word("/spec/resourceAttributes/namespace"),
        name: word("/spec/resourceAttributes/name"),
        path: String::new(),
    };
    if body["spec"]["nonResourceAttributes"].is_object() {
        asked.verb = word("/spec/nonResourceAttributes/verb");
        asked.path = word("/spec/nonResourceAttributes/path");
    }
    let may = allowed(&world.store, &call.user, &asked);
    body["apiVersion"] = json!("authorization.k8s.io/v1");
    body["kind"] = json!("SelfSubjectAccessReview");
    body["status"] = json!({"allowed": may});
    Ok(Answer::json(201, &body))
}
