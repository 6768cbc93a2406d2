//! How good a possible node is. The order of the fields is the policy: what
//! stands first decides, the id last, so that equal facts give equal answers.

use uuid::Uuid;

use crate::id::NodeId;

/// What a unit's wishes about other units say of a node; smaller is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Soft {
    /// Preferred affinities and anti-affinities that would not be fulfilled.
    pub(super) unmet: u32,
    /// Units of the spread that its place holds already; the largest number
    /// where the node lacks the label that names its place.
    pub(super) crowd: u32,
    /// Under the sticky policy: it holds no unit of the project.
    pub(super) stranger: bool,
}

impl Soft {
    /// What two separate sets of wishes say together.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            unmet: self.unmet.saturating_add(other.unmet),
            crowd: self.crowd.saturating_add(other.crowd),
            stranger: self.stranger || other.stranger,
        }
    }
}

/// What the policy says of a node, whatever the unit; smaller is better. Each
/// policy uses one of the fields and leaves the others at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// The number of the fleet's last seating that went there.
    pub(super) turn: u64,
    /// What is not promised, in millionths.
    pub(super) spare: u32,
    /// What is promised, in millionths.
    pub(super) load: u32,
}

/// The score of one node for one unit; the smallest is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Score {
    pub(super) soft: Soft,
    pub(super) rank: Rank,
    /// The node's id, as the number that sorts like it.
    pub(super) id: u128,
}

impl Score {
    pub(super) fn new(soft: Soft, rank: Rank, node: NodeId) -> Self {
        let id = node.uuid().as_u128();
        Self { soft, rank, id }
    }

    /// The node.
    pub(super) const fn node(self) -> NodeId {
        NodeId::from_uuid(Uuid::from_u128(self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(unmet: u32, crowd: u32, stranger: bool, load: u32) -> Score {
        let soft = Soft {
            unmet,
            crowd,
            stranger,
        };
        let rank = Rank {
            load,
            ..Rank::default()
        };
        Score::new(soft, rank, NodeId::from_parts(1, [0; 10]))
    }

    #[test]
    fn wishes_outweigh_spread_spread_outweighs_home_home_outweighs_load() {
        let order = [
            score(0, 0, false, 9),
            score(0, 0, true, 1),
            score(0, 1, false, 1),
            score(1, 0, false, 0),
        ];
        assert!(order.is_sorted());
    }

    #[test]
    fn equal_nodes_are_told_apart_by_the_order_of_their_ids() {
        let score = |node| Score::new(Soft::default(), Rank::default(), node);
        let (early, late) = (
            NodeId::from_parts(1, [9; 10]),
            NodeId::from_parts(2, [0; 10]),
        );
        assert!(early < late && score(early) < score(late));
        assert_eq!(score(late).node(), late);
    }
}
