//! One kind of events in two groups: kept as core/v1 has them, shown as
//! events.k8s.io/v1 has them to whoever asks there.

use serde_json::{Map, Value, json};

/// The same words under two names: core's, the newer ones'.
const WORDS: [(&str, &str); 6] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// As events.k8s.io shows it.
pub(crate) fn newer(event: &Value) -> Value {
    let mut shown = renamed(event, |word| {
        let pair = WORDS.iter().find(|(core, _)| *core == word);
        pair.map_or(word, |(_, newer)| newer)
    });
    let reporter = shown["reportingComponent"].take();
    shown["reportingController"] = reporter;
    if let Some(members) = shown.as_object_mut() {
        members.remove("reportingComponent");
    }
    shown["apiVersion"] = json!("events.k8s.io/v1");
    shown
}

/// As it is kept.
pub(crate) fn core(event: &Value) -> Value {
    let mut kept = renamed(event, |word| {
        if word == "reportingController" {
            return "reportingComponent";
        }
        let pair = WORDS.iter().find(|(_, newer)| *newer == word);
        pair.map_or(word, |(core, _)| core)
    });
    kept["apiVersion"] = json!("v1");
    kept
}

fn renamed<'a>(event: &'a Value, name: impl Fn(&'a str) -> &'a str) -> Value {
    let members = event.as_object().into_iter().flatten();
    let renamed: Map<String, Value> = members
        .map(|(word, value)| (name(word).to_owned(), value.clone()))
        .collect();
    Value::Object(renamed)
}
