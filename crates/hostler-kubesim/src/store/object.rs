//! One written version of an object, with what is derived from it once: its
//! text for the wire, and the facts that controllers decide by.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

use crate::control::facts::{NodeFacts, PodFacts};
use crate::json::text;

/// Namespace and name.
pub(crate) type Key = (String, String);

#[derive(Debug)]
pub(crate) struct Object {
    value: Value,
    version: u64,
    wire: OnceLock<Bytes>,
    pod: OnceLock<Arc<PodFacts>>,
    node: OnceLock<Arc<NodeFacts>>,
}

impl Object {
    pub(crate) fn new(value: Value, version: u64) -> Self {
        Self {
            value,
            version,
            wire: OnceLock::new(),
            pod: OnceLock::new(),
            node: OnceLock::new(),
        }
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn name(&self) -> &str {
        text(&self.value, "/metadata/name")
    }

    pub(crate) fn key(&self) -> Key {
        let space = text(&self.value, "/metadata/namespace");
        (space.to_owned(), self.name().to_owned())
    }

    /// Its text; written once however many read it.
    pub(crate) fn wire(&self) -> Bytes {
        let write = || Bytes::from(self.value.to_string());
        self.wire.get_or_init(write).clone()
    }

    /// What controllers ask of a pod; only for pods.
    pub(crate) fn pod(&self) -> &Arc<PodFacts> {
        self.pod
            .get_or_init(|| Arc::new(PodFacts::read(&self.value)))
    }

    /// What controllers ask of a node; only for nodes.
    pub(crate) fn node(&self) -> &Arc<NodeFacts> {
        self.node
            .get_or_init(|| Arc::new(NodeFacts::read(&self.value)))
    }
}
