//! Which objects a request or a rule means.

mod field;
mod label;

use serde_json::Value;

pub(crate) use field::FieldSelector;
pub(crate) use label::LabelSelector;

/// Both selectors of a list or watch.
#[derive(Debug, Default, Clone)]
pub(crate) struct Selectors {
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
}

impl Selectors {
    pub(crate) fn matches(&self, value: &Value) -> bool {
        self.labels.matches(value.pointer("/metadata/labels")) && self.fields.matches(value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}
