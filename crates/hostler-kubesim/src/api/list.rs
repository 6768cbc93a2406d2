//! Reads: one object, or a list of them in pages that all show the same
//! moment, whatever happens between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::shape;
use crate::catalog::Resource;
use crate::refusal::Refusal;
use crate::store::{Key, Object, Store};
use crate::world::World;

pub(crate) fn get(
    world: &World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let name = &call.info.asked.name;
    let found = world.store.get(resource, call.info.space(), name);
    let object = found.ok_or_else(|| Refusal::not_found(resource, name))?;
    let body = shape::one(call.shape, resource, object, world.now());
    Ok(Answer::bytes(200, body))
}

pub(crate) fn list(
    world: &World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let from = start(&world.store, call)?;
    let selectors = call.selectors(resource)?;
    let fits = |object: &Arc<Object>| {
        let wanted = selectors
            .fields
            .name()
            .is_none_or(|name| name == object.name());
        wanted && (selectors.is_empty() || selectors.matches(object.value()))
    };
    let limit = call.query.number("limit")?.unwrap_or(0);
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
    let all = objects(&world.store, resource, call.info.space(), &from);
    let (page, rest) = cut(all.into_iter().filter(fits), limit);
    let mut meta = json!({"resourceVersion": from.version.to_string()});
    if let (Some(last), true) = (page.last(), rest > 0) {
        meta["continue"] = json!(token(from.version, &last.key()));
        if selectors.is_empty() {
            meta["remainingItemCount"] = json!(rest);
        }
    }
    let body = shape::list(call.shape, resource, &page, (&meta, world.now()));
    Ok(Answer::bytes(200, body))
}

/// Where a page begins, and the moment it shows.
struct Start {
    version: u64,
    after: Option<Key>,
}

fn start(store: &Store, call: &Call) -> Result<Start, Refusal> {
    let token = call.query.get("continue");
    if token.is_empty() {
        return Ok(Start {
            version: store.version(),
            after: None,
        });
    }
    let start = read_token(token)
        .ok_or_else(|| Refusal::bad("continue key is not valid: it cannot be decoded"))?;
    if start.version < store.compacted() {
        return Err(Refusal::expired(
            "The provided continue parameter is too old to display a consistent list result. You \
             can start a new list without the continue parameter.",
        ));
    }
    Ok(start)
}

fn token(version: u64, last: &Key) -> String {
    let text = json!({"v": version, "s": last.0, "n": last.1}).to_string();
    BASE64URL_NOPAD.encode(text.as_bytes())
}

fn read_token(token: &str) -> Option<Start> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    let part = |key: &str| Some(value[key].as_str()?.to_owned());
    Some(Start {
        version: value["v"].as_u64()?,
        after: Some((part("s")?, part("n")?)),
    })
}

/// The objects of a moment, after a key, in their order.
fn objects(store: &Store, resource: &Resource, space: &str, from: &Start) -> Vec<Arc<Object>> {
    if from.after.is_none() {
        return store.list(resource, space).map(Arc::clone).collect();
    }
    let now = store.list(resource, space);
    let mut all: BTreeMap<Key, Arc<Object>> = now.map(|one| (one.key(), Arc::clone(one))).collect();
    let undone = store
        .history(resource)
        .map(|history| history.undone(from.version));
    for (key, before) in undone.unwrap_or_default() {
        match before {
            Some(before) if space.is_empty() || key.0 == space => all.insert(key, before),
            _ => all.remove(&key),
        };
    }
    let after = |key: &Key| from.after.as_ref().is_none_or(|last| key > last);
    all.into_iter()
        .filter(|(key, _)| after(key))
        .map(|(_, object)| object)
        .collect()
}

fn cut(
    mut all: impl Iterator<Item = Arc<Object>>,
    limit: Option<usize>,
) -> (Vec<Arc<Object>>, usize) {
    let page = all.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
    (page, all.count())
}

/// Texts of objects as one JSON list's inside.
pub(crate) fn join(items: impl Iterator<Item = Bytes>, into: &mut Vec<u8>) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            into.push(b',');
        }
        into.extend_from_slice(&item);
    }
}
