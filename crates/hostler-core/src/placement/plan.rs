//! How to find a node for units of one shape: which aisles to walk, in turn.

use super::aisle::Question;
use super::aisles::Aisles;
use super::fleet::Fleet;
use super::policy::Policy;
use super::rules::Unit;
use super::score::Score;
use super::search::Walk;
use super::shape::{Resolver, Shape, Terms};
use super::sight::{Ask, Sight};

/// An aisle to walk.
#[derive(Clone, Copy, Debug)]
struct Way {
    aisle: usize,
    /// Whether it is ordered by the shape's home.
    knows_home: bool,
    /// Whether it is ordered by the shape's other fine terms.
    knows_terms: bool,
}

/// A shape and the ways to find a node for it, each better ordered than the
/// one before, the last by everything.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) shape: Shape,
    ways: Vec<Way>,
}

impl Plan {
    fn new(shape: Shape, aisles: &mut Aisles) -> Self {
        let has_home = shape.home.is_some();
        let has_terms = shape.fine != *Terms::NONE;
        let mut knows = vec![(false, false)];
        knows.extend(has_home.then_some((true, false)));
        knows.extend(has_terms.then_some((has_home, true)));
        let way = |(knows_home, knows_terms)| {
            let fine = if knows_terms {
                &shape.fine
            } else {
                Terms::NONE
            };
            let question = Question {
                node_labels: shape.node_labels.clone(),
                topologies: shape.coarse.topologies(),
                fine: fine.clone(),
                home: shape.home.filter(|_| knows_home),
            };
            Way {
                aisle: aisles.number(question),
                knows_home,
                knows_terms,
            }
        };
        let ways = knows.into_iter().map(way).collect();
        Self { shape, ways }
    }
}

impl Fleet {
    /// The number of the unit's plan, made for the first unit of its shape.
    pub(super) fn plan(&mut self, unit: &Unit) -> usize {
        self.tidy();
        let kind = self.tally.kind_of(&unit.project, &unit.labels);
        if let Some(plan) = self.tally.kind(kind).plans.get(&unit.rules) {
            return *plan;
        }
        let resolver = Resolver {
            unit,
            tally: &mut self.tally,
            yard: &mut self.yard,
        };
        let shape = resolver.shape(self.policy == Policy::Sticky);
        self.plans.push(Plan::new(shape, &mut self.aisles));
        let plan = self.plans.len() - 1;
        self.tally.plan_keep(kind, unit.rules.clone(), plan);
        plan
    }

    /// The best score for a unit of this plan.
    pub(super) fn best(&mut self, unit: &Unit, plan: usize) -> Option<Score> {
        let Plan { shape, ways } = &self.plans[plan];
        let sight = Sight {
            yard: &self.yard,
            tally: &self.tally,
            policy: self.policy,
        };
        let ask = Ask::new(unit, shape);
        if let Some(list) = self.yard.shortest(&shape.node_labels)
            && list.len() <= self.limits.few
        {
            return sight.best_of(ask, list.iter().copied());
        }
        // No aisle holds the nodes of an affinity that is waived this once.
        let waived = shape.fine.near.iter().any(|near| sight.is_waived(near));
        let ways = &ways[..ways.len() - usize::from(waived)];
        for (at, way) in ways.iter().enumerate() {
            let next = ways.get(at + 1).map(|next| next.aisle);
            let due = next.map_or(usize::MAX, |next| self.aisles.due(next, &self.yard));
            let debt = next.map_or(0, |next| self.aisles.debt(next));
            let budget = due.saturating_sub(debt);
            if budget <= self.limits.due {
                continue;
            }
            let mut walk = Walk {
                sight,
                ask,
                terms: if way.knows_terms {
                    Terms::NONE
                } else {
                    &shape.fine
                },
                home: shape.home.filter(|_| !way.knows_home),
                budget,
            };
            let answer = walk.walked(self.aisles.fresh(way.aisle, sight));
            if let Some(next) = next {
                self.aisles.debt_add(next, budget - walk.budget);
            }
            if let Ok(best) = answer {
                return best;
            }
        }
        None
    }
}
