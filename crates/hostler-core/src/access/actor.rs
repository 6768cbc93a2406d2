//! What a request proved to be. Proof (comparing secrets) happens outside; an
//! expired token proves nothing and makes an anonymous actor.

use super::PolicySet;
use crate::id::NodeId;
use crate::{Name, Timestamp};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What the activity history calls it: a token's or node's name.
    pub name: String,
    /// What it proved to be.
    pub kind: ActorKind,
}

/// What an actor proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// It holds an API token.
    Token {
        /// The one project it acts in; `None`: the whole fleet.
        project: Option<Name>,
        /// What it may do.
        policies: PolicySet,
    },
    /// It holds this node's key.
    Node(NodeId),
    /// It showed nothing, or nothing that is valid.
    Anonymous,
}

impl Actor {
    /// Somebody who showed nothing valid.
    pub fn anonymous() -> Self {
        Self {
            name: "anonymous".to_owned(),
            kind: ActorKind::Anonymous,
        }
    }

    /// The one project it acts in, if it is bound to one. Lists show a bound
    /// actor only what is in its project.
    pub fn project(&self) -> Option<&Name> {
        match &self.kind {
            ActorKind::Token { project, .. } => project.as_ref(),
            ActorKind::Node(_) | ActorKind::Anonymous => None,
        }
    }
}

/// Whether a token that expires at `expires_at` (`None`: never) is void at
/// `now`. The moment of expiry itself is void.
pub fn is_expired(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|end| now >= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_void_from_the_moment_it_expires() {
        let end = Some(Timestamp::from_ms(1_000));
        assert!(!is_expired(end, Timestamp::from_ms(999)));
        assert!(is_expired(end, Timestamp::from_ms(1_000)));
        assert!(is_expired(end, Timestamp::from_ms(1_001)));
        assert!(!is_expired(None, Timestamp::NEVER));
    }
}
