//! Reading and writing bodies without a type for each: text by path, and
//! members that are made when they are missing.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

/// The text at a path like `/metadata/name`; empty when there is none.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The members of a list at a path; none when it is not a list.
pub(crate) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The text members of a map at a path: labels, annotations, selectors.
pub(crate) fn pairs<'a>(
    value: &'a Value,
    path: &str,
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let map = value.pointer(path).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// A member that is a map; whatever else stood there gives way.
pub(crate) fn map<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let member = &mut value[key];
    if !member.is_object() {
        *member = Value::Object(Map::new());
    }
    member
}

/// Takes a list out of its place, to be changed and put back.
pub(crate) fn take_list(value: &mut Value, key: &str) -> Vec<Value> {
    match value.get_mut(key).map(Value::take) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// A moment as Kubernetes writes it: whole seconds.
pub(crate) fn moment(at: DateTime<Utc>) -> Value {
    Value::String(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A moment with microseconds, as leases and newer events have it.
pub(crate) fn moment_fine(at: DateTime<Utc>) -> Value {
    Value::String(at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// A moment in a body.
pub(crate) fn moment_at(value: &Value, path: &str) -> Option<DateTime<Utc>> {
    let text = value.pointer(path)?.as_str()?;
    Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc))
}

/// The condition of a type in `status.conditions`.
pub(crate) fn condition<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    list(value, "/status/conditions")
        .iter()
        .find(|one| text(one, "/type") == kind)
}

/// Puts a condition in place; the moment of its last change stays while its
/// status does.
pub(crate) fn condition_set(value: &mut Value, mut condition: Value, now: DateTime<Utc>) {
    let status = map(value, "status");
    let mut all = take_list(status, "conditions");
    let kind = text(&condition, "/type").to_owned();
    condition["lastTransitionTime"] = moment(now);
    match all.iter_mut().find(|one| text(one, "/type") == kind) {
        Some(before) => {
            if before["status"] == condition["status"] {
                condition["lastTransitionTime"] = before["lastTransitionTime"].clone();
            }
            *before = condition;
        }
        None => all.push(condition),
    }
    status["conditions"] = Value::Array(all);
}
