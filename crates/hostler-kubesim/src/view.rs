//! What a test looks at while it waits: the objects as they are.

use std::sync::Arc;

use serde_json::Value;

use crate::catalog::{EVENTS, NODES, PODS, Resource};
use crate::control::facts::label;
use crate::json::text;
use crate::store::{Object, Store};

/// A look at the cluster's objects, without a request.
#[derive(Debug)]
pub struct View<'a>(pub(crate) &'a Store);

impl View<'_> {
    /// All pods of a label `key=value`; of every pod when it is empty.
    pub fn pods(&self, selector: &str) -> Vec<Value> {
        let wanted = selector.split_once('=');
        let fits =
            |pod: &&Arc<Object>| wanted.is_none_or(|(key, value)| label(pod.value(), key) == value);
        let pods = self.0.list(&PODS, "").filter(fits);
        pods.map(|pod| pod.value().clone()).collect()
    }

    /// One pod.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<Value> {
        self.one(&PODS, namespace, name)
    }

    /// All nodes.
    pub fn nodes(&self) -> Vec<Value> {
        self.all(&NODES)
    }

    /// One node.
    pub fn node(&self, name: &str) -> Option<Value> {
        self.one(&NODES, "", name)
    }

    /// Names of the nodes that are Ready.
    pub fn ready_nodes(&self) -> Vec<String> {
        let nodes = self.0.list(&NODES, "");
        let ready = nodes.filter(|node| node.node().ready == Some(true));
        ready.map(|node| node.name().to_owned()).collect()
    }

    /// How many pods of a label are Running and Ready.
    pub fn ready_pods(&self, selector: &str) -> usize {
        let ready = |pod: &&Value| {
            crate::json::condition(pod, "Ready").is_some_and(|one| text(one, "/status") == "True")
        };
        self.pods(selector).iter().filter(ready).count()
    }

    /// Reasons and messages of the events about an object, oldest first.
    pub fn events(&self, name: &str) -> Vec<(String, String)> {
        let about = |event: &&Arc<Object>| text(event.value(), "/involvedObject/name") == name;
        let mut found: Vec<_> = self.0.list(&EVENTS, "").filter(about).collect();
        found.sort_by_key(|event| event.version());
        let words = |event: &Arc<Object>| {
            let word = |path| text(event.value(), path).to_owned();
            (word("/reason"), word("/message"))
        };
        found.into_iter().map(words).collect()
    }

    fn one(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Value> {
        let object = self.0.get(resource, namespace, name)?;
        Some(object.value().clone())
    }

    fn all(&self, resource: &Resource) -> Vec<Value> {
        let objects = self.0.list(resource, "");
        objects.map(|object| object.value().clone()).collect()
    }
}
