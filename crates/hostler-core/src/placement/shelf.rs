//! Nodes in the order of their scores, cut into short blocks. Each block
//! knows the most room that any of its nodes has, so that a search for room
//! passes over full nodes a block at a time.

use super::host::Room;
use super::score::Score;

/// A node on a shelf, with the score and the room it had when it was put.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) score: Score,
    pub(super) free: Room,
    pub(super) host: usize,
}

/// A full block is cut in two; a block smaller than a quarter of this joins
/// the next one.
const BLOCK: usize = 32;

#[derive(Clone, Debug)]
struct Block {
    /// Ascending by score, never empty while the block is on the shelf.
    rows: Vec<Row>,
    /// The score of the last row.
    end: Option<Score>,
    /// The most of each amount that a row has free.
    most: Room,
}

impl Block {
    fn of(rows: Vec<Row>) -> Self {
        let most = |most: Room, row: &Row| most.max(row.free);
        Self {
            end: rows.last().map(|row| row.score),
            most: rows.iter().fold(Room::default(), most),
            rows,
        }
    }

    /// To be called whenever rows were taken away. Where the nodes are much
    /// alike, one of the first rows has as much free as the rows had before.
    fn renew(&mut self) {
        let before = std::mem::take(&mut self.most);
        for row in &self.rows {
            self.most = self.most.max(row.free);
            if self.most == before {
                break;
            }
        }
        self.end = self.rows.last().map(|row| row.score);
    }
}

/// Rows ascending by score.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    blocks: Vec<Block>,
}

impl Shelf {
    /// A shelf of these rows, in any order.
    pub(super) fn of(mut rows: Vec<Row>) -> Self {
        rows.sort_unstable_by_key(|row| row.score);
        let blocks = rows.chunks(BLOCK * 3 / 4);
        Self {
            blocks: blocks.map(|rows| Block::of(rows.to_vec())).collect(),
        }
    }

    /// The rows with room for `need`, ascending by score.
    pub(super) fn fits(&self, need: Room) -> impl Iterator<Item = &Row> {
        let blocks = self
            .blocks
            .iter()
            .filter(move |block| need.fits(block.most));
        let rows = blocks.flat_map(|block| &block.rows);
        rows.filter(move |row| need.fits(row.free))
    }

    /// Puts a row whose score is not on the shelf yet.
    pub(super) fn put(&mut self, row: Row) {
        let Some(at) = self.block_of(row.score) else {
            self.blocks.push(Block::of(vec![row]));
            return;
        };
        let block = &mut self.blocks[at];
        let place = block.rows.partition_point(|held| held.score < row.score);
        block.rows.insert(place, row);
        block.most = block.most.max(row.free);
        block.end = block.end.max(Some(row.score));
        if block.rows.len() > BLOCK {
            let tail = block.rows.split_off(BLOCK / 2);
            block.renew();
            self.blocks.insert(at + 1, Block::of(tail));
        }
    }

    /// Takes the row of this score away, if it is there.
    pub(super) fn take(&mut self, score: Score) {
        let Some(at) = self.block_of(score) else {
            return;
        };
        let block = &mut self.blocks[at];
        let Ok(place) = block.rows.binary_search_by_key(&score, |row| row.score) else {
            return;
        };
        block.rows.remove(place);
        block.renew();
        if block.rows.len() < BLOCK / 4 {
            self.join(at);
        }
    }

    /// Joins a small block with the next, or drops it when it is empty.
    fn join(&mut self, at: usize) {
        let small = self.blocks[at].rows.len();
        if small == 0 {
            self.blocks.remove(at);
            return;
        }
        let next = self
            .blocks
            .get(at + 1)
            .map_or(BLOCK, |next| next.rows.len());
        if small + next <= BLOCK * 3 / 4 {
            let next = self.blocks.remove(at + 1);
            let block = &mut self.blocks[at];
            block.rows.extend(next.rows);
            block.most = block.most.max(next.most);
            block.end = next.end;
        }
    }

    /// The block that holds this score or would: the first that does not end
    /// before it, else the last; none on an empty shelf.
    fn block_of(&self, score: Score) -> Option<usize> {
        let at = self.blocks.partition_point(|block| block.end < Some(score));
        let last = self.blocks.len().checked_sub(1)?;
        Some(at.min(last))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::score::{Rank, Soft};
    use super::*;
    use crate::Resources;
    use crate::id::NodeId;

    fn row(load: u32, free: u64) -> Row {
        let rank = Rank {
            load,
            ..Rank::default()
        };
        let score = Score::new(Soft::default(), rank, NodeId::from_parts(1, [0; 10]));
        let free = Room::unit(Resources::of(free, free));
        Row {
            score,
            free,
            host: load as usize,
        }
    }

    proptest! {
        #[test]
        fn a_shelf_answers_like_a_sorted_list(
            first in 0_u32..200,
            changes in prop::collection::vec((any::<bool>(), 0_u32..400, 0_u64..4), 0..600),
        ) {
            let start: Vec<Row> = (0..first).map(|load| row(load, 1)).collect();
            let mut list: BTreeMap<u32, Row> = start.iter().map(|row| (row.score.rank.load, *row)).collect();
            let mut shelf = Shelf::of(start);
            for (put, load, free) in changes {
                let row = row(load, free);
                shelf.take(row.score);
                list.remove(&load);
                if put {
                    shelf.put(row);
                    list.insert(load, row);
                }
            }
            for need in 0..4 {
                let need = Room::unit(Resources::of(need, need));
                let expected = list.values().filter(|row| need.fits(row.free)).map(|row| row.host);
                let found = shelf.fits(need).map(|row| row.host);
                prop_assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            }
        }
    }
}
