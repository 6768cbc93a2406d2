//! One request, read to its end.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::info::Info;
use super::shape::Shape;
use crate::access::User;
use crate::catalog::Resource;
use crate::refusal::Refusal;
use crate::selector::{FieldSelector, LabelSelector, Selectors};

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) info: Info,
    pub(crate) query: Query,
    pub(crate) user: User,
    pub(crate) shape: Shape,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    pub(crate) fn read(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.into_owned().collect())
    }

    pub(crate) fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    pub(crate) fn is(&self, key: &str) -> bool {
        matches!(self.get(key), "true" | "1")
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, Refusal> {
        match self.get(key) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Refusal::bad(format!("{key}: Invalid value: \"{text}\": not a number"))
            }),
        }
    }

    /// Whether nothing is to be kept of what is done.
    pub(crate) fn is_dry(&self) -> bool {
        self.get("dryRun") == "All"
    }
}

impl Call {
    pub(crate) fn json(&self) -> Result<Value, Refusal> {
        if self.content_type.contains("protobuf") {
            let message = "the body of the request was in an unknown format - accepted media \
                           types include: application/json";
            return Err(Refusal::new(415, "UnsupportedMediaType", message));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Refusal::bad(format!("error decoding the body: {error}")))
    }

    /// A body that may be missing, such as options of a delete.
    pub(crate) fn json_or_nothing(&self) -> Result<Value, Refusal> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        self.json()
    }

    pub(crate) fn selectors(&self, resource: &Resource) -> Result<Selectors, Refusal> {
        let labels = LabelSelector::parse(self.query.get("labelSelector"));
        let fields = FieldSelector::parse(self.query.get("fieldSelector"), resource);
        Ok(Selectors {
            labels: labels.map_err(Refusal::bad)?,
            fields: fields.map_err(Refusal::bad)?,
        })
    }
}
