//! Nodes kept in order for one sort of question, so that the answer stands in
//! front.
//!
//! An aisle holds the open nodes that carry some labels and that its fine
//! terms admit, ordered by what those terms wish and then by rank, and cut
//! into *cells* by the domains of some coarse topologies. It catches up with
//! the changes of nodes when it is asked, never before, and it is emptied when
//! others were asked more lately: it can always be filled again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rules::carries;
use super::score::Score;
use super::shape::{Term, Terms};
use super::shelf::{Row, Shelf};
use super::sight::Sight;
use super::yard::{NODES, Yard};
use crate::Labels;

/// What sort of question an aisle answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) node_labels: Labels,
    /// The coarse topologies that cut it into cells, ascending.
    pub(super) topologies: Vec<usize>,
    pub(super) fine: Terms,
    pub(super) home: Option<Term>,
}

/// The nodes of an aisle that share their coarse domains.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// One for each topology of the question.
    domains: Vec<Option<usize>>,
    pub(super) shelf: Shelf,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug)]
struct Spot {
    cell: usize,
    score: Score,
}

/// An aisle with its nodes.
#[derive(Clone, Debug)]
pub(super) struct Aisle {
    question: Arc<Question>,
    /// How many notes of changes and of crowds it has seen.
    seen: (u64, u64),
    /// Whether it counts by a node label.
    minds_crowds: bool,
    spots: Vec<Option<Spot>>,
    cells: Vec<Cell>,
    numbers: BTreeMap<Vec<Option<usize>>, usize>,
}

impl Aisle {
    /// Fills an aisle with the nodes as they are now.
    pub(super) fn of(question: Arc<Question>, sight: Sight<'_>) -> Self {
        let mut aisle = Self {
            minds_crowds: question.fine.topologies().iter().any(|at| *at != NODES),
            question,
            seen: seen(sight.yard),
            spots: vec![None; sight.yard.span()],
            cells: Vec::new(),
            numbers: BTreeMap::new(),
        };
        let hosts: Vec<usize> = match sight.yard.shortest(&aisle.question.node_labels) {
            Some(few) => few.iter().copied().collect(),
            None => (0..sight.yard.span()).collect(),
        };
        let mut rows: Vec<Vec<Row>> = Vec::new();
        for at in hosts {
            if let Some((cell, row)) = aisle.row(sight, at) {
                rows.resize(aisle.cells.len(), Vec::new());
                rows[cell].push(row);
                aisle.spots[at] = Some(Spot::of(cell, &row));
            }
        }
        for (cell, rows) in aisle.cells.iter_mut().zip(rows) {
            cell.shelf = Shelf::of(rows);
        }
        aisle
    }

    /// How many nodes it must look at again before it may be asked.
    pub(super) fn due(&self, yard: &Yard) -> usize {
        let missed = self.missed(yard);
        let notes = missed.map_or(usize::MAX, |(changes, crowds)| changes.len() + crowds.len());
        notes.min(yard.len())
    }

    /// Looks again at every node that has changed.
    pub(super) fn catch_up(&mut self, sight: Sight<'_>) {
        let yard = sight.yard;
        let enough = yard.len().max(64);
        match self.missed(yard) {
            Some((changes, crowds)) if changes.len() + crowds.len() <= enough => {
                for at in changes.iter().chain(crowds) {
                    self.renew(sight, *at);
                }
                self.seen = seen(yard);
            }
            _ => *self = Self::of(Arc::clone(&self.question), sight),
        }
    }

    /// The notes it has not seen, if they are all still kept.
    fn missed<'y>(&self, yard: &'y Yard) -> Option<(&'y [usize], &'y [usize])> {
        let (changes, crowds) = self.seen;
        let crowds = if self.minds_crowds {
            yard.crowds().since(crowds)?
        } else {
            &[]
        };
        Some((yard.changes().since(changes)?, crowds))
    }

    /// The cells.
    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// How many units of a coarse term are in a cell's domain.
    pub(super) fn in_cell(&self, cell: &Cell, sight: Sight<'_>, term: Term) -> Option<u32> {
        let place = self
            .question
            .topologies
            .binary_search(&term.topology)
            .ok()?;
        let domain = cell.domains[place]?;
        Some(sight.tally.census(term.census).counts.get(domain))
    }

    fn renew(&mut self, sight: Sight<'_>, at: usize) {
        if at >= self.spots.len() {
            self.spots.resize(at + 1, None);
        }
        if let Some(old) = self.spots[at].take() {
            self.cells[old.cell].shelf.take(old.score);
        }
        if let Some((cell, row)) = self.row(sight, at) {
            self.cells[cell].shelf.put(row);
            self.spots[at] = Some(Spot::of(cell, &row));
        }
    }

    /// The cell and the row of a node, if it belongs here at all.
    fn row(&mut self, sight: Sight<'_>, at: usize) -> Option<(usize, Row)> {
        let host = sight.yard.host(at)?;
        let Question {
            node_labels,
            fine,
            home,
            ..
        } = &*self.question;
        if !host.place.open
            || !carries(&host.place.labels, node_labels)
            || !fine.admit(sight.at_host(at), |_| false)
        {
            return None;
        }
        let soft = fine.soft(*home, sight.at_host(at));
        let score = Score::new(soft, host.rank(sight.policy), host.place.id);
        let row = Row {
            score,
            free: host.free(),
            host: at,
        };
        Some((self.cell(sight.yard, at), row))
    }

    /// The number of the cell a node belongs to.
    fn cell(&mut self, yard: &Yard, at: usize) -> usize {
        let domain = |topology: &usize| yard.domain(at, *topology);
        let domains: Vec<Option<usize>> = self.question.topologies.iter().map(domain).collect();
        if let Some(number) = self.numbers.get(&domains) {
            return *number;
        }
        self.cells.push(Cell {
            domains: domains.clone(),
            shelf: Shelf::default(),
        });
        self.numbers.insert(domains, self.cells.len() - 1);
        self.cells.len() - 1
    }
}

fn seen(yard: &Yard) -> (u64, u64) {
    (yard.changes().end(), yard.crowds().end())
}

impl Spot {
    const fn of(cell: usize, row: &Row) -> Self {
        let score = row.score;
        Self { cell, score }
    }
}
