//! All objects, their one counter of versions, and their history.
//!
//! Every write takes the next resource version, marks the object with it and
//! adds one change to the history of its resource. What was written is never
//! changed in place: readers and watchers hold it as long as they like.

mod history;
mod object;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::catalog::{Id, Resource};
use crate::json::text;

pub(crate) use history::{Change, History, What};
pub(crate) use object::{Key, Object};

/// Objects of one resource.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    objects: BTreeMap<Key, Arc<Object>>,
    history: History,
}

#[derive(Debug)]
pub(crate) struct Store {
    shelves: BTreeMap<Id, Shelf>,
    version: u64,
    /// The oldest version that a watch may still begin at.
    compacted: u64,
    changed: watch::Sender<u64>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            shelves: BTreeMap::new(),
            version: 1,
            compacted: 0,
            changed: watch::Sender::new(1),
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Tells of every write.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn get(&self, resource: &Resource, space: &str, name: &str) -> Option<&Arc<Object>> {
        let key = (space.to_owned(), name.to_owned());
        self.shelves.get(&resource.id())?.objects.get(&key)
    }

    /// Objects in the order of their keys, of one namespace or of all.
    pub(crate) fn list<'a>(
        &'a self,
        resource: &Resource,
        space: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let shelf = self.shelves.get(&resource.id());
        let from = (space.to_owned(), String::new());
        shelf
            .into_iter()
            .flat_map(move |shelf| shelf.objects.range(from.clone()..))
            .take_while(move |(key, _)| space.is_empty() || key.0 == space)
            .map(|(_, object)| object)
    }

    /// Writes an object as it is to be; answers with what was written.
    pub(crate) fn put(&mut self, resource: &Resource, mut value: Value) -> Arc<Object> {
        self.version += 1;
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(Object::new(value, self.version));
        let shelf = self.shelves.entry(resource.id()).or_default();
        let before = shelf.objects.insert(object.key(), Arc::clone(&object));
        let what = if before.is_some() {
            What::Modified
        } else {
            What::Added
        };
        shelf.history.add(Change {
            version: self.version,
            what,
            object: Arc::clone(&object),
            before,
        });
        self.changed.send_replace(self.version);
        object
    }

    /// Takes an object away; answers with its last state.
    pub(crate) fn remove(
        &mut self,
        resource: &Resource,
        space: &str,
        name: &str,
    ) -> Option<Arc<Object>> {
        let shelf = self.shelves.get_mut(&resource.id())?;
        let before = shelf.objects.remove(&(space.to_owned(), name.to_owned()))?;
        self.version += 1;
        let mut value = before.value().clone();
        value["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(Object::new(value, self.version));
        shelf.history.add(Change {
            version: self.version,
            what: What::Deleted,
            object: Arc::clone(&object),
            before: Some(before),
        });
        self.changed.send_replace(self.version);
        Some(object)
    }

    pub(crate) fn history(&self, resource: &Resource) -> Option<&History> {
        self.shelves.get(&resource.id()).map(|shelf| &shelf.history)
    }

    /// Forgets all history: whoever is not up to date has to list again.
    pub(crate) fn compact(&mut self) {
        self.compacted = self.version;
        for shelf in self.shelves.values_mut() {
            shelf.history.clear();
        }
    }

    /// The namespace an object is in; empty for those of the cluster.
    pub(crate) fn space(value: &Value) -> &str {
        text(value, "/metadata/namespace")
    }
}
