//! The quick way to the best node: a walk along an aisle. It gives the same
//! answer as looking at every node would.
//!
//! An aisle may be ordered by all the fine terms of the unit; then the first
//! node of each cell is its best. Or it may know some of them, or none; then
//! each node is weighed as it comes, which is a step or two where few nodes
//! are concerned, so that not every small group of units needs an aisle of its
//! own. A walk has a budget, and whoever pays for the steps decides when the
//! better ordered aisle has become the cheaper way.

use super::aisle::{Aisle, Cell};
use super::score::{Score, Soft};
use super::shape::{Near, Term, Terms};
use super::sight::{Ask, Sight};

/// A walk was longer than its budget.
pub(super) struct Spent;

/// A search for the best node along an aisle.
pub(super) struct Walk<'a> {
    pub(super) sight: Sight<'a>,
    pub(super) ask: Ask<'a>,
    /// The fine terms that the aisle does not know.
    pub(super) terms: &'a Terms,
    /// The home of the unit, if the aisle does not know it.
    pub(super) home: Option<Term>,
    /// How many more nodes may be looked at.
    pub(super) budget: usize,
}

impl<'a> Walk<'a> {
    /// The best node, or that the budget was spent before it was certain.
    pub(super) fn walked(&mut self, aisle: &Aisle) -> Result<Option<Score>, Spent> {
        let drawn = self.drawn()?;
        let best = self.sight.best_of(self.ask, drawn);
        if self.nearest().is_some() {
            return Ok(best);
        }
        self.beyond(aisle, best)
    }

    /// Looks for better than `best` where nothing draws the unit. There, no
    /// node can be wished for more than `least` says, and the first that is
    /// so much wished for is the best of its cell.
    fn beyond(&mut self, aisle: &Aisle, mut best: Option<Score>) -> Result<Option<Score>, Spent> {
        let least = self.terms.soft(self.home, |_| Some(0));
        for (soft, cell) in self.cells(aisle) {
            if best.is_some_and(|best| best.soft < soft.plus(least)) {
                break;
            }
            for row in cell.shelf.fits(self.ask.need) {
                self.spend(1)?;
                let count = self.sight.at_host(row.host);
                if !self.terms.admit(&count, |near| self.sight.is_waived(near)) {
                    continue;
                }
                let own = self.terms.soft(self.home, count);
                let score = Score {
                    soft: row.score.soft.plus(soft).plus(own),
                    ..row.score
                };
                best = best.into_iter().chain([score]).min();
                if own <= least {
                    break;
                }
            }
        }
        Ok(best)
    }

    /// The cells whose coarse terms admit the unit, the most wished for first.
    fn cells<'b>(&self, aisle: &'b Aisle) -> Vec<(Soft, &'b Cell)> {
        let coarse = &self.ask.shape.coarse;
        let weigh = |cell: &'b Cell| {
            let count = |term| aisle.in_cell(cell, self.sight, term);
            let admitted = coarse.admit(count, |near| self.sight.is_waived(near));
            admitted.then(|| (coarse.soft(None, count), cell))
        };
        let mut cells = Vec::with_capacity(aisle.cells().len());
        cells.extend(aisle.cells().iter().filter_map(weigh));
        cells.sort_by_key(|(soft, _)| *soft);
        cells
    }

    fn spend(&mut self, steps: usize) -> Result<(), Spent> {
        let left = self.budget.checked_sub(steps);
        self.budget = left.unwrap_or_default();
        left.map(|_| ()).ok_or(Spent)
    }

    /// The required affinity that is not exempt and has the fewest domains.
    fn nearest(&self) -> Option<&'a Near> {
        let near = self.terms.near.iter();
        let binding = near.filter(|near| !self.sight.is_waived(near));
        binding.min_by_key(|near| self.sight.tally.census(near.term.census).counts.len())
    }

    /// The nodes that an affinity draws the unit to: the only ones possible,
    /// if it is a required one; else those that may be wished for more than
    /// the others.
    fn drawn(&mut self) -> Result<Vec<usize>, Spent> {
        let nearest = self.nearest().map(|near| near.term);
        let wished = self.terms.wish_near.iter().copied().chain(self.home);
        let wished = wished.filter(|_| nearest.is_none());
        let mut drawn = Vec::new();
        for term in nearest.into_iter().chain(wished) {
            for (domain, _) in self.sight.tally.census(term.census).counts.iter() {
                let before = drawn.len();
                drawn.extend(self.sight.yard.members(term.topology, domain));
                self.spend(drawn.len() - before)?;
            }
        }
        Ok(drawn)
    }
}
