//! Every node of the fleet, found by id, by label and by domain.
//!
//! A *topology* is a way to say what counts as one place. In the first one
//! each node is a *domain* of its own; in the others, one for each node label
//! that a rule has named, each value of the label is. A topology is *coarse*
//! while it has few domains: then rules over it are weighed once a domain. It
//! is *fine* for good once it has many: then they are weighed node by node.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::Changes;
use super::host::Host;
use super::index::Index;
use crate::Labels;
use crate::id::NodeId;

/// The topology in which each node is its own domain.
pub(super) const NODES: usize = 0;

/// The values of one node label, numbered.
#[derive(Clone, Debug)]
struct Topology {
    label: String,
    domains: BTreeMap<String, usize>,
    members: Vec<BTreeSet<usize>>,
}

/// The nodes, each under an index that is used again after it has gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Yard {
    hosts: Vec<Option<Host>>,
    vacant: Vec<usize>,
    ids: Index<NodeId, usize>,
    labelled: BTreeMap<String, BTreeMap<String, BTreeSet<usize>>>,
    topologies: Vec<Topology>,
    /// Notes of nodes that changed themselves.
    changes: Changes,
    /// Notes of nodes in whose fine domains something was counted.
    crowds: Changes,
    /// The most domains that a coarse topology has.
    coarse: usize,
}

impl Yard {
    /// No nodes; a topology is coarse while it has at most `coarse` domains.
    pub(super) fn new(coarse: usize) -> Self {
        Self {
            coarse,
            ..Self::default()
        }
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The number that every index is below.
    pub(super) fn span(&self) -> usize {
        self.hosts.len()
    }

    pub(super) fn find(&self, id: NodeId) -> Option<usize> {
        self.ids.get(&id).copied()
    }

    pub(super) fn host(&self, at: usize) -> Option<&Host> {
        self.hosts.get(at)?.as_ref()
    }

    /// The node, to be changed in anything but its labels; notes the change.
    pub(super) fn host_mut(&mut self, at: usize) -> Option<&mut Host> {
        self.note(at);
        self.hosts.get_mut(at)?.as_mut()
    }

    /// All nodes with their indices.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (usize, &Host)> {
        let hosts = self.hosts.iter().enumerate();
        hosts.filter_map(|(at, host)| Some((at, host.as_ref()?)))
    }

    /// Notes that what is derived from this node may be out of date.
    pub(super) fn note(&mut self, at: usize) {
        self.changes.note(at, self.ids.len());
    }

    /// Notes a change of every node of the domain: what a rule counts there
    /// is part of the score of each. A coarse domain is weighed as a whole.
    pub(super) fn note_domain(&mut self, topology: usize, domain: usize) {
        if topology == NODES || self.is_coarse(topology) {
            return;
        }
        let keep = self.ids.len();
        for at in &self.topologies[topology - 1].members[domain] {
            self.crowds.note(*at, keep);
        }
    }

    /// The nodes that changed themselves, so far.
    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The nodes in whose fine domains something was counted, so far.
    pub(super) fn crowds(&self) -> &Changes {
        &self.crowds
    }

    /// Takes in a node that is not here yet.
    pub(super) fn insert(&mut self, host: Host) {
        let at = self.vacant.pop().unwrap_or(self.hosts.len());
        if at == self.hosts.len() {
            self.hosts.push(None);
        }
        self.ids.insert(host.place.id, at);
        self.hosts[at] = Some(host);
        self.labels_link(at);
        self.note(at);
    }

    /// Lets a node go.
    pub(super) fn remove(&mut self, at: usize) {
        self.labels_unlink(at);
        if let Some(host) = self.hosts[at].take() {
            self.ids.remove(&host.place.id);
            self.vacant.push(at);
        }
        self.note(at);
    }

    /// Gives a node other labels.
    pub(super) fn relabel(&mut self, at: usize, labels: Labels) {
        self.labels_unlink(at);
        if let Some(host) = self.host_mut(at) {
            host.place.labels = labels;
        }
        self.labels_link(at);
    }

    /// The shortest list of nodes that holds every one that carries `labels`;
    /// `None` is the list of all nodes.
    pub(super) fn shortest(&self, labels: &Labels) -> Option<&BTreeSet<usize>> {
        static NOBODY: BTreeSet<usize> = BTreeSet::new();
        let list = |(key, value)| self.labelled.get(key).and_then(|values| values.get(value));
        let lists = labels.iter().map(|pair: (&String, &String)| list(pair));
        lists
            .map(|list| list.unwrap_or(&NOBODY))
            .min_by_key(|list| list.len())
    }

    /// The topology of this node label, or of the nodes themselves.
    pub(super) fn topology(&mut self, label: Option<&str>) -> usize {
        let Some(label) = label else {
            return NODES;
        };
        let known = self
            .topologies
            .iter()
            .position(|topology| topology.label == label);
        known.unwrap_or_else(|| self.topology_new(label)) + 1
    }

    fn topology_new(&mut self, label: &str) -> usize {
        self.topologies.push(Topology {
            label: label.to_owned(),
            domains: BTreeMap::new(),
            members: Vec::new(),
        });
        for at in 0..self.hosts.len() {
            self.domains_link(at);
        }
        self.topologies.len() - 1
    }

    /// The label of a topology; none for that of the nodes themselves.
    pub(super) fn topology_label(&self, topology: usize) -> Option<&str> {
        let at = topology.checked_sub(1)?;
        Some(&self.topologies.get(at)?.label)
    }

    /// Whether a topology has so few domains that each is weighed as a whole.
    pub(super) fn is_coarse(&self, topology: usize) -> bool {
        let domains = |at: usize| self.topologies[at].members.len();
        topology
            .checked_sub(1)
            .is_some_and(|at| domains(at) <= self.coarse)
    }

    /// How many topologies are coarse.
    pub(super) fn coarse_count(&self) -> usize {
        (1..=self.topologies.len())
            .filter(|topology| self.is_coarse(*topology))
            .count()
    }

    /// How many domains are kept, gone ones included.
    pub(super) fn domain_count(&self) -> usize {
        self.topologies
            .iter()
            .map(|topology| topology.members.len())
            .sum()
    }

    /// Forgets every topology and so the domains that have gone.
    pub(super) fn topologies_forget(&mut self) {
        self.topologies.clear();
        for host in self.hosts.iter_mut().flatten() {
            host.domains.clear();
        }
    }

    /// The domain of a node, unless it lacks the topology's label.
    pub(super) fn domain(&self, at: usize, topology: usize) -> Option<usize> {
        match topology.checked_sub(1) {
            None => Some(at),
            Some(topology) => *self.host(at)?.domains.get(topology)?,
        }
    }

    /// The nodes of a domain.
    pub(super) fn members(&self, topology: usize, domain: usize) -> impl Iterator<Item = usize> {
        let itself = (topology == NODES).then_some(domain);
        let members = topology
            .checked_sub(1)
            .map(|at| &self.topologies[at].members[domain]);
        itself
            .into_iter()
            .chain(members.into_iter().flatten().copied())
    }

    fn labels_link(&mut self, at: usize) {
        if let Some(host) = &self.hosts[at] {
            for (key, value) in &host.place.labels {
                let values = self.labelled.entry(key.clone()).or_default();
                values.entry(value.clone()).or_default().insert(at);
            }
        }
        self.domains_link(at);
    }

    /// Numbers the node's domain in each topology where it has no number yet.
    fn domains_link(&mut self, at: usize) {
        let Some(host) = &mut self.hosts[at] else {
            return;
        };
        for topology in &mut self.topologies[host.domains.len()..] {
            let next = topology.domains.len();
            let value = host.place.labels.get(&topology.label);
            let domain = value.map(|value| *topology.domains.entry(value.clone()).or_insert(next));
            topology
                .members
                .resize_with(topology.domains.len(), BTreeSet::new);
            if let Some(domain) = domain {
                topology.members[domain].insert(at);
            }
            host.domains.push(domain);
        }
    }

    fn labels_unlink(&mut self, at: usize) {
        let Some(host) = &mut self.hosts[at] else {
            return;
        };
        for (topology, domain) in self.topologies.iter_mut().zip(host.domains.drain(..)) {
            if let Some(domain) = domain {
                topology.members[domain].remove(&at);
            }
        }
        for (key, value) in &host.place.labels {
            let Some(values) = self.labelled.get_mut(key) else {
                continue;
            };
            if let Some(hosts) = values.get_mut(value) {
                hosts.remove(&at);
                if hosts.is_empty() {
                    values.remove(value);
                }
            }
        }
    }
}
