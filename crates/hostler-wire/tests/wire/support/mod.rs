//! One sample of every body, and what tests do to bodies.

pub(crate) mod agent_bodies;
pub(crate) mod decoders;
pub(crate) mod nats_bodies;
pub(crate) mod node_bodies;
pub(crate) mod rest_bodies;
pub(crate) mod runner_bodies;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A moment with nine digits after the second.
pub(crate) fn moment() -> DateTime<Utc> {
    "2024-04-26T20:46:01.123456789Z".parse().unwrap()
}

/// A map of texts.
pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// Maps whose keys are the user's own and keep their case.
const MAPS: [&str; 3] = ["tags", "environment", "labels"];

/// The same JSON with the keys of all structs in upper case.
pub(crate) fn upper_case_keys(bytes: &[u8]) -> Vec<u8> {
    fn upper(value: Value) -> Value {
        match value {
            Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| {
                    let value = if MAPS.contains(&key.as_str()) {
                        value
                    } else {
                        upper(value)
                    };
                    (key.to_uppercase(), value)
                })
                .collect(),
            Value::Array(items) => items.into_iter().map(upper).collect(),
            other => other,
        }
    }
    let value = serde_json::from_slice(bytes).unwrap();
    serde_json::to_vec(&upper(value)).unwrap()
}

/// Bodies of one HTTP API by name.
#[derive(Default)]
pub(crate) struct Bodies(BTreeMap<&'static str, Value>);

impl Bodies {
    /// Adds a body, which must read back as itself.
    pub(crate) fn add<T>(&mut self, name: &'static str, body: &T)
    where
        T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let value = serde_json::to_value(body).unwrap();
        let read: T = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(&read, body, "{name} reads back otherwise");
        assert!(
            self.0.insert(name, value).is_none(),
            "{name} is there twice"
        );
    }

    /// Adds a request in the form of its least members.
    pub(crate) fn least<T: Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
        text: &str,
    ) {
        let body: T = serde_json::from_str(text).unwrap();
        let value = serde_json::to_value(body).unwrap();
        assert!(
            self.0.insert(name, value).is_none(),
            "{name} is there twice"
        );
    }

    /// All of them, for people.
    pub(crate) fn text(self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(&self.0).unwrap();
        text.push(b'\n');
        text
    }
}
