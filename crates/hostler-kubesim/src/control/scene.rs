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
    /// Bound pods by node: where they are in `pods`.
    on: BTreeMap<String, Vec<usize>>,
}

impl Scene {
    /// Pods are in the order of their creation.
    pub(crate) fn read(world: &World) -> Self {
        let mut pods: Vec<_> = world.store.list(&PODS, "").collect();
        pods.sort_by_key(|pod| pod.pod().created);
        let pods: Vec<_> = pods.into_iter().map(|pod| Arc::clone(pod.pod())).collect();
        let mut on: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, pod) in pods.iter().enumerate() {
            match on.get_mut(&pod.node) {
                Some(here) => here.push(index),
                None => drop(on.insert(pod.node.clone(), vec![index])),
            }
        }
        let nodes = world.store.list(&NODES, "");
        let nodes = nodes.map(|node| (node.name().to_owned(), Arc::clone(node.node())));
        Self {
            nodes: nodes.collect(),
            pods,
            on,
        }
    }

    /// Pods that are bound to a node.
    pub(crate) fn on(&self, node: &str) -> impl Iterator<Item = &Arc<PodFacts>> {
        let here = self.on.get(node).map_or(&[][..], Vec::as_slice);
        here.iter().map(|index| &self.pods[*index])
    }
}
