//! JSON patches: add, remove, replace, test. One that cannot be applied as a
//! whole changes nothing, as it works on a copy.

use serde_json::Value;

use crate::json::text;
use crate::refusal::Refusal;

pub(super) fn apply(target: &mut Value, patch: &Value) -> Result<(), Refusal> {
    let steps = patch.as_array();
    let steps = steps.ok_or_else(|| Refusal::bad("a JSON patch is a list of operations"))?;
    for step in steps {
        let path = text(step, "/path");
        one(target, text(step, "/op"), path, &step["value"]).ok_or_else(|| cannot(path))?;
    }
    Ok(())
}

fn cannot(path: &str) -> Refusal {
    let message = format!("the server rejected our request due to an error in our request: {path}");
    Refusal::new(422, "Invalid", message)
}

fn one(target: &mut Value, operation: &str, path: &str, value: &Value) -> Option<()> {
    if operation == "test" {
        return (target.pointer(path)? == value).then_some(());
    }
    let (parent, last) = path.rsplit_once('/')?;
    let last = last.replace("~1", "/").replace("~0", "~");
    match (target.pointer_mut(parent)?, operation) {
        (Value::Object(members), "add") => drop(members.insert(last, value.clone())),
        (Value::Object(members), "replace") => *members.get_mut(&last)? = value.clone(),
        (Value::Object(members), "remove") => drop(members.remove(&last)?),
        (Value::Array(items), "add") if last == "-" => items.push(value.clone()),
        (Value::Array(items), operation) => list(items, operation, last.parse().ok()?, value)?,
        _ => return None,
    }
    Some(())
}

fn list(items: &mut Vec<Value>, operation: &str, index: usize, value: &Value) -> Option<()> {
    match operation {
        "add" if index <= items.len() => items.insert(index, value.clone()),
        "replace" => *items.get_mut(index)? = value.clone(),
        "remove" if index < items.len() => drop(items.remove(index)),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_change_maps_and_lists() {
        let check = |patch: Value, expected: Option<Value>| {
            let mut value = json!({"a": {"x/y": 1}, "l": [1, 2]});
            let applied = apply(&mut value, &patch).ok().map(|()| value);
            assert_eq!(applied, expected, "{patch}");
        };
        let whole = |a: Value, l: Value| Some(json!({"a": a, "l": l}));
        check(
            json!([{"op": "replace", "path": "/a/x~1y", "value": 2}]),
            whole(json!({"x/y": 2}), json!([1, 2])),
        );
        check(
            json!([{"op": "add", "path": "/l/-", "value": 3}, {"op": "remove", "path": "/l/0"}]),
            whole(json!({"x/y": 1}), json!([2, 3])),
        );
        check(json!([{"op": "test", "path": "/l/0", "value": 9}]), None);
        check(json!([{"op": "remove", "path": "/b"}]), None);
    }
}
