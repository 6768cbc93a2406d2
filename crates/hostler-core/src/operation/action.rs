//! The single actions operations are made of. Each is idempotent, and each
//! leaves one word in `steps_done`, from which the rest can be decided by
//! whoever takes over.

use crate::node::Scheduling;

/// One action on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Change nothing, but write down how the node was, to be able to put it
    /// back. Comes before every effect.
    Remember(Scheduling),
    /// Set it draining: no new seats, and its work is being moved.
    Drain,
    /// Close it: it has given its work away and takes none.
    Close,
    /// Take it off the books, on condition that nothing is seated there in
    /// that same transaction ([`crate::node::NodeFacts::may_leave`]).
    Unregister,
    /// Put its scheduling back to how it was remembered.
    PutBack(Scheduling),
}

impl Action {
    /// The word written into `steps_done` after the action.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Remember(Scheduling::Open) => "was-open",
            Self::Remember(Scheduling::Draining) => "was-draining",
            Self::Remember(Scheduling::Closed) => "was-closed",
            Self::Drain => "draining",
            Self::Close => "closed",
            Self::Unregister => "unregistered",
            Self::PutBack(_) => "put-back",
        }
    }

    /// How the node was, if the word is that of a [`Self::Remember`].
    pub(super) fn remembered(word: &str) -> Option<Scheduling> {
        [Scheduling::Open, Scheduling::Draining, Scheduling::Closed]
            .into_iter()
            .find(|was| Self::Remember(*was).word() == word)
    }
}
