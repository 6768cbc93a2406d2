//! The rules of a unit, resolved to the counts they look at. Units of one
//! kind with the same rules have the same shape.
//!
//! The terms of a shape are told apart by their topology: *coarse* terms say
//! the same of every node of a domain, *fine* ones may differ between any two
//! nodes.

use super::rules::{Affinity, Unit, carries};
use super::score::Soft;
use super::tally::Tally;
use super::yard::{NODES, Yard};
use crate::Labels;

/// A census that a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    pub(super) census: usize,
    pub(super) topology: usize,
}

/// A required affinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Near {
    pub(super) term: Term,
    /// Whether it means the unit's own kind, so that the first is exempt.
    pub(super) own: bool,
}

/// Rules about other units.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Terms {
    pub(super) near: Vec<Near>,
    pub(super) far: Vec<Term>,
    pub(super) wish_near: Vec<Term>,
    pub(super) wish_far: Vec<Term>,
    pub(super) spread: Option<Term>,
}

/// What is asked of a node: labels, and terms of both sorts.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) node_labels: Labels,
    pub(super) fine: Terms,
    pub(super) coarse: Terms,
    /// Under the sticky policy, all units of the project; a fine term.
    pub(super) home: Option<Term>,
}

impl Terms {
    /// Rules that say nothing.
    pub(super) const NONE: &'static Self = &Self {
        near: Vec::new(),
        far: Vec::new(),
        wish_near: Vec::new(),
        wish_far: Vec::new(),
        spread: None,
    };

    /// Whether what must be so is so, where `count` says how many units of a
    /// term there are (none at all where the node is in no domain), and
    /// `waived` which required affinity is exempt.
    pub(super) fn admit(
        &self,
        count: impl Fn(Term) -> Option<u32>,
        waived: impl Fn(&Near) -> bool,
    ) -> bool {
        let met = |near: &Near| count(near.term).is_some_and(|count| count > 0 || waived(near));
        self.far.iter().all(|term| !some(count(*term))) && self.near.iter().all(met)
    }

    /// How far what should be so is not so; with a home, whether it is there.
    pub(super) fn soft(&self, home: Option<Term>, count: impl Fn(Term) -> Option<u32>) -> Soft {
        let missing = self.wish_near.iter().filter(|term| !some(count(**term)));
        let disturbing = self.wish_far.iter().filter(|term| some(count(**term)));
        let unmet = missing.count() + disturbing.count();
        let crowd = |term| count(term).unwrap_or(u32::MAX);
        Soft {
            unmet: u32::try_from(unmet).unwrap_or(u32::MAX),
            crowd: self.spread.map_or(0, crowd),
            stranger: home.is_some_and(|term| !some(count(term))),
        }
    }

    /// The topologies of all terms, ascending, each once.
    pub(super) fn topologies(&self) -> Vec<usize> {
        let near = self.near.iter().map(|near| &near.term);
        let others = [&self.far, &self.wish_near, &self.wish_far]
            .into_iter()
            .flatten();
        let terms = near.chain(others).chain(&self.spread);
        let mut topologies: Vec<usize> = terms.map(|term| term.topology).collect();
        topologies.sort_unstable();
        topologies.dedup();
        topologies
    }
}

fn some(count: Option<u32>) -> bool {
    count.is_some_and(|count| count > 0)
}

/// Resolves rules, starting the counts they need.
pub(super) struct Resolver<'a> {
    pub(super) unit: &'a Unit,
    pub(super) tally: &'a mut Tally,
    pub(super) yard: &'a mut Yard,
}

impl Resolver<'_> {
    /// The shape of the unit; with `sticky`, its project draws it.
    pub(super) fn shape(mut self, sticky: bool) -> Shape {
        let rules = &self.unit.rules;
        let mut shape = Shape {
            node_labels: rules.node_labels.clone(),
            fine: Terms::default(),
            coarse: Terms::default(),
            home: None,
        };
        for affinity in &rules.affinity {
            let term = self.term(&affinity.labels, affinity.topology.as_deref());
            let terms = self.terms(&mut shape, term);
            if affinity.required {
                let own = self.is_own(affinity);
                terms.near.push(Near { term, own });
            } else {
                terms.wish_near.push(term);
            }
        }
        for affinity in &rules.anti_affinity {
            let term = self.term(&affinity.labels, affinity.topology.as_deref());
            let terms = self.terms(&mut shape, term);
            let list = if affinity.required {
                &mut terms.far
            } else {
                &mut terms.wish_far
            };
            list.push(term);
        }
        if let Some(spread) = &rules.spread {
            let term = self.term(&spread.labels, spread.topology.as_deref());
            self.terms(&mut shape, term).spread = Some(term);
        }
        shape.home = sticky.then(|| self.term(&Labels::new(), None));
        shape
    }

    fn is_own(&self, affinity: &Affinity) -> bool {
        carries(&self.unit.labels, &affinity.labels)
    }

    fn term(&mut self, labels: &Labels, topology: Option<&str>) -> Term {
        let topology = self.yard.topology(topology);
        let census = self
            .tally
            .census_of(&self.unit.project, labels, topology, self.yard);
        Term { census, topology }
    }

    fn terms<'s>(&self, shape: &'s mut Shape, term: Term) -> &'s mut Terms {
        if term.topology != NODES && self.yard.is_coarse(term.topology) {
            &mut shape.coarse
        } else {
            &mut shape.fine
        }
    }
}
