//! Whether a node can take a pod, and why not: pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::control::facts::{Apart, NodeFacts, PodFacts, Room, Taint, Toleration, Wants};

/// Labels by namespace.
pub(crate) type Spaces = BTreeMap<String, Value>;

/// A node, what is on it, and what is free.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) node: Arc<NodeFacts>,
    free: Room,
    pods: Vec<Arc<PodFacts>>,
}

impl Seat {
    pub(crate) fn empty(node: &Arc<NodeFacts>) -> Self {
        Self {
            node: Arc::clone(node),
            free: node.room,
            pods: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, pod: &Arc<PodFacts>) {
        let room = pod.wants.room;
        self.free.cpu -= room.cpu;
        self.free.memory -= room.memory;
        self.free.pods -= room.pods;
        self.pods.push(Arc::clone(pod));
    }
}

/// Why a node cannot take a pod, and whether removing pods could help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    words: Vec<String>,
    helped: bool,
}

impl Why {
    fn hopeless(words: impl Into<String>) -> Self {
        Self {
            words: vec![words.into()],
            helped: false,
        }
    }

    fn crowded(words: Vec<String>) -> Self {
        Self {
            words,
            helped: true,
        }
    }

    pub(crate) fn words(self) -> Vec<String> {
        self.words
    }
}

/// Reasons of all nodes, counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct Reasons {
    counts: BTreeMap<String, usize>,
    hopeless: usize,
    crowded: usize,
}

impl Reasons {
    pub(crate) fn add(&mut self, why: Why) {
        self.hopeless += usize::from(!why.helped);
        self.crowded += usize::from(why.helped);
        for word in why.words {
            *self.counts.entry(word).or_default() += 1;
        }
    }

    /// As the scheduler says it.
    pub(crate) fn message(&self, nodes: usize) -> String {
        if nodes == 0 {
            return "no nodes available to schedule pods".to_owned();
        }
        let mut parts: Vec<String> = (self.counts.iter())
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        parts.sort();
        let counted = [
            (self.crowded, "No preemption victims found for incoming pod"),
            (self.hopeless, "Preemption is not helpful for scheduling"),
        ];
        let help: Vec<String> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        format!(
            "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {}.",
            parts.join(", "),
            help.join(", ")
        )
    }
}

/// Whether a toleration bears a taint.
pub(crate) fn bears(toleration: &Toleration, taint: &Taint) -> bool {
    let key = toleration.key == taint.key || (toleration.key.is_empty() && toleration.exists);
    let effect = toleration.effect.is_empty() || toleration.effect == taint.effect;
    key && effect && (toleration.exists || toleration.value == taint.value)
}

/// Whether a node alone, without a look at other pods, suits.
pub(crate) fn suits(wants: &Wants, seat: &Seat) -> bool {
    lone(wants, seat).is_none()
}

fn lone(wants: &Wants, seat: &Seat) -> Option<Why> {
    let node = &seat.node;
    let unborne = |taint: &&Taint| {
        let hard = ["NoSchedule", "NoExecute"].contains(&taint.effect.as_str());
        hard && !wants.tolerations.iter().any(|one| bears(one, taint))
    };
    let taint = node.taints.iter().find(unborne);
    if node.unschedulable && taint.is_some_and(|one| one.key.ends_with("/unschedulable")) {
        return Some(Why::hopeless("node(s) were unschedulable"));
    }
    if let Some(Taint { key, value, .. }) = taint {
        let words = format!("node(s) had untolerated taint {{{key}: {value}}}");
        return Some(Why::hopeless(words));
    }
    if !is_meant(wants, node) {
        return Some(Why::hopeless(
            "node(s) didn't match Pod's node affinity/selector",
        ));
    }
    let short = [
        (wants.room.pods > seat.free.pods, "Too many pods"),
        (wants.room.cpu > seat.free.cpu, "Insufficient cpu"),
        (wants.room.memory > seat.free.memory, "Insufficient memory"),
    ];
    let short = short.into_iter().filter(|(short, _)| *short);
    let words: Vec<String> = short.map(|(_, word)| word.to_owned()).collect();
    (!words.is_empty()).then(|| Why::crowded(words))
}

fn is_meant(wants: &Wants, node: &NodeFacts) -> bool {
    let labels = Some(&node.labels);
    let term = |term: &crate::control::facts::NodeTerm| {
        let named = term.name.as_ref().is_none_or(|name| *name == node.name);
        named && term.labels.matches(labels)
    };
    wants.node_selector.matches(labels)
        && (wants.node_terms.is_empty() || wants.node_terms.iter().any(term))
}

/// Whether a pod with these wants can go to a seat among all.
pub(crate) fn fits(
    wants: &Wants,
    index: usize,
    seats: &[Seat],
    spaces: &Spaces,
) -> Result<(), Why> {
    if let Some(why) = lone(wants, &seats[index]) {
        return Err(why);
    }
    let broken = |term: &&Apart| {
        around(term, index, seats).any(|pod| is_meant_by(term, &wants.space, pod, spaces))
    };
    match wants.apart.iter().find(broken) {
        Some(_) => Err(Why::crowded(vec![
            "node(s) didn't match pod anti-affinity rules".to_owned(),
        ])),
        None => Ok(()),
    }
}

/// Whether pods already there want to be apart from this one.
pub(crate) fn is_avoided(pod: &PodFacts, index: usize, seats: &[Seat], spaces: &Spaces) -> bool {
    let near = |other: &PodFacts, term: &Apart, at: usize| {
        let same = at == index || is_same_domain(term, &seats[at], &seats[index]);
        same && is_meant_by(term, &other.space, pod, spaces)
    };
    let avoids = |at: usize, other: &Arc<PodFacts>| {
        other.wants.apart.iter().any(|term| near(other, term, at))
    };
    let wide = |at: &usize| {
        let far = |other: &Arc<PodFacts>| other.wants.apart.iter().any(|term| !is_hostname(term));
        *at == index || seats[*at].pods.iter().any(far)
    };
    let all = (0..seats.len()).filter(wide);
    let mut places = all.flat_map(|at| seats[at].pods.iter().map(move |other| (at, other)));
    places.any(|(at, other)| avoids(at, other))
}

fn is_hostname(term: &Apart) -> bool {
    term.topology == "kubernetes.io/hostname"
}

fn is_same_domain(term: &Apart, one: &Seat, other: &Seat) -> bool {
    let value = |seat: &Seat| seat.node.labels.get(&term.topology).cloned();
    value(one).is_some() && value(one) == value(other)
}

/// Pods in the same domain as a seat.
fn around<'a>(
    term: &'a Apart,
    index: usize,
    seats: &'a [Seat],
) -> Box<dyn Iterator<Item = &'a Arc<PodFacts>> + 'a> {
    if is_hostname(term) {
        return Box::new(seats[index].pods.iter());
    }
    let domain = seats
        .iter()
        .filter(move |seat| is_same_domain(term, seat, &seats[index]));
    Box::new(domain.flat_map(|seat| &seat.pods))
}

/// Whether a term of a pod in `space` means another pod.
fn is_meant_by(term: &Apart, space: &str, other: &PodFacts, spaces: &Spaces) -> bool {
    let named = match (&term.space_selector, term.spaces.as_slice()) {
        (None, []) => other.space == space,
        (selector, named) => {
            let selected = selector.as_ref();
            named.contains(&other.space)
                || selected.is_some_and(|one| one.matches(spaces.get(&other.space)))
        }
    };
    named && term.pods.matches(Some(&other.labels))
}
