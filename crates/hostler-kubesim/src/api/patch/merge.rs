//! Merge patches: null removes, maps merge. The strategic kind also merges
//! lists whose members have a key of their own.

use serde_json::{Map, Value};

/// RFC 7396: lists are replaced.
pub(super) fn plain(target: &mut Value, patch: Value) {
    merge(target, patch, false, "");
}

/// Kubernetes' own: lists of keyed members are merged.
pub(super) fn strategic(target: &mut Value, patch: Value) {
    merge(target, patch, true, "");
}

/// Lists that are merged, and the key of their members. An empty key: the
/// members themselves.
fn key_of(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => Some("name"),
        "conditions" | "addresses" => Some("type"),
        "taints" => Some("key"),
        "ownerReferences" => Some("uid"),
        "ports" => Some("containerPort"),
        "volumeMounts" => Some("mountPath"),
        "finalizers" => Some(""),
        _ => None,
    }
}

fn merge(target: &mut Value, patch: Value, keyed: bool, place: &str) {
    match patch {
        Value::Object(members) => {
            if members.get("$patch").and_then(Value::as_str) == Some("replace") {
                *target = cleaned(members);
                return;
            }
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            for (key, value) in members {
                member(target, key, value, keyed);
            }
        }
        Value::Array(items) if keyed => match (key_of(place), target.as_array_mut()) {
            (Some(key), Some(present)) => list(present, items, key),
            _ => *target = Value::Array(items),
        },
        other => *target = other,
    }
}

fn cleaned(mut members: Map<String, Value>) -> Value {
    members.remove("$patch");
    Value::Object(members)
}

fn member(target: &mut Value, key: String, value: Value, keyed: bool) {
    if let (true, Some(list)) = (keyed, key.strip_prefix("$deleteFromPrimitiveList/")) {
        let gone = value.as_array().cloned().unwrap_or_default();
        if let Some(present) = target[list].as_array_mut() {
            present.retain(|one| !gone.contains(one));
        }
        return;
    }
    if keyed && key.starts_with('$') {
        return;
    }
    if !value.is_null() {
        let place = key.clone();
        return merge(&mut target[key], value, keyed, &place);
    }
    if let Some(members) = target.as_object_mut() {
        members.remove(&key);
    }
}

fn list(present: &mut Vec<Value>, items: Vec<Value>, key: &str) {
    for item in items {
        let same = |one: &Value| {
            if key.is_empty() {
                *one == item
            } else {
                one[key] == item[key]
            }
        };
        let found = present.iter().position(same);
        let deletes = item["$patch"] == "delete";
        match found {
            Some(index) if deletes => drop(present.remove(index)),
            Some(index) => merge(&mut present[index], item, true, ""),
            None if deletes => {}
            None => present.push(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(patch: Value, expected: &(Value, Value)) {
        let before = json!({"a": {"b": 1, "c": 2}, "taints": [{"key": "x", "v": 1}]});
        let (mut one, mut other) = (before.clone(), before);
        plain(&mut one, patch.clone());
        strategic(&mut other, patch);
        assert_eq!((one, other), *expected);
    }

    #[test]
    fn maps_merge_and_null_removes() {
        let merged = json!({"a": {"b": 1, "c": 3}, "taints": [{"key": "x", "v": 1}]});
        check(json!({"a": {"c": 3}}), &(merged.clone(), merged));
        let removed = json!({"a": {"b": 1, "c": 2}});
        check(json!({"taints": null}), &(removed.clone(), removed));
    }

    #[test]
    fn keyed_lists_merge_only_in_the_strategic_kind() {
        let added = json!({"key": "y"});
        let a = json!({"b": 1, "c": 2});
        check(
            json!({"taints": [{"key": "y"}]}),
            &(
                json!({"a": a, "taints": [added]}),
                json!({"a": a, "taints": [{"key": "x", "v": 1}, added]}),
            ),
        );
    }

    #[test]
    fn a_member_of_a_keyed_list_can_be_deleted() {
        let mut value = json!({"taints": [{"key": "x"}, {"key": "y"}]});
        strategic(
            &mut value,
            json!({"taints": [{"$patch": "delete", "key": "x"}]}),
        );
        assert_eq!(value, json!({"taints": [{"key": "y"}]}));
    }
}
