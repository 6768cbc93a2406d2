//! What is done, when somebody asks for it, with a machine that a node holds
//! and the control plane does not know: after its database was brought back
//! from a copy, or because somebody made the machine on its node.
//!
//! Nothing of this happens by itself. What must never happen: a second copy of
//! a machine taken away because the first one was adopted, so of several
//! copies all but one have to be removed by name before.

use crate::Generation;
use crate::id::NodeId;

/// A machine of ours, where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmFound {
    /// On which node.
    pub node: NodeId,
    /// The highest generation that node was told of it; zero if it was told of
    /// none.
    pub generation: Generation,
}

/// What comes of a wish to adopt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// It becomes a VM, seated where it is, of this generation.
    Adopt(Generation),
    /// It is a VM already.
    Known,
    /// It was one and was deleted; its node is told to remove it.
    Erased,
    /// Another node has one of the same id.
    AlsoOn(NodeId),
}

/// Whether a found machine becomes a VM: above all that its node was told, so
/// that the node follows the first order about it.
pub fn vm_adoption(
    found: VmFound,
    others: &[VmFound],
    (is_known, is_erased): (bool, bool),
) -> Adoption {
    let other = others.iter().find(|other| other.node != found.node);
    match other {
        _ if is_known => Adoption::Known,
        _ if is_erased => Adoption::Erased,
        Some(other) => Adoption::AlsoOn(other.node),
        None => Adoption::Adopt(found.generation.next()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(node: u8, number: u64) -> VmFound {
        VmFound {
            node: NodeId::from_parts(1, [node; 10]),
            generation: Generation::new(number),
        }
    }

    #[test]
    fn what_nobody_knows_is_adopted_above_what_its_node_was_told() {
        let check = |number, others: &[VmFound], known, expected| {
            assert_eq!(vm_adoption(found(1, number), others, known), expected);
        };
        let adopt = |number| Adoption::Adopt(Generation::new(number));
        let nobody = (false, false);
        check(0, &[], nobody, adopt(1));
        check(7, &[], nobody, adopt(8));
        check(7, &[found(1, 7)], nobody, adopt(8));
        let other = found(2, 3);
        check(7, &[other], nobody, Adoption::AlsoOn(other.node));
        check(7, &[other], (true, false), Adoption::Known);
        check(7, &[], (true, true), Adoption::Known);
        check(7, &[], (false, true), Adoption::Erased);
    }
}
