//! All pods and nodes at the beginning of a turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::facts::{NodeFacts, PodFacts};
use crate::catalog::{NODES, PODS};
use crate::world::World;

#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) pods: Vec<Arc<PodFacts>>,
    pub(crate) nodes: BTreeMap<String, Arc<NodeFacts>>,
}

impl Scene {
    /// Pods are in the order of their creation.
    pub(crate) fn read(world: &World) -> Self {
        let mut pods: Vec<_> = world.store.list(&PODS, "").collect();
        pods.sort_by_key(|pod| pod.pod().created);
        let nodes = world.store.list(&NODES, "");
        Self {
            pods: pods.into_iter().map(|pod| Arc::clone(pod.pod())).collect(),
            nodes: nodes
                .map(|node| (node.name().to_owned(), Arc::clone(node.node())))
                .collect(),
        }
    }

    pub(crate) fn on<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Arc<PodFacts>> {
        self.pods.iter().filter(move |pod| pod.node == node)
    }
}
