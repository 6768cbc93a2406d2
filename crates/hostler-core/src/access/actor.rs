//! What a request proved to be. Proof (comparing secrets) happens outside; an
//! expired token proves nothing and makes an anonymous actor.

use std::time::Duration;

use super::Rights;
use crate::Timestamp;
use crate::id::NodeId;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What the activity history calls it: a user's, token's or node's name.
    pub name: String,
    /// What it proved to be.
    pub kind: ActorKind,
}

/// What an actor proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// It holds a session or an API token: what its user may do, within what
    /// the token was made for.
    Bearer(Rights),
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
}

/// Whether a token that expires at `expires_at` (`None`: never) is void at
/// `now`. The moment of expiry itself is void.
pub fn is_expired(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|end| now >= end)
}

/// When a session ends: at its own end, or once it was idle for so long.
pub fn session_end(expires_at: Timestamp, last_used: Timestamp, idle: Duration) -> Timestamp {
    expires_at.min(last_used + idle)
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

    #[test]
    fn a_session_ends_when_it_is_idle_or_old() {
        let check = |expires, used, expected| {
            let at = Timestamp::from_ms;
            let end = session_end(at(expires), at(used), Duration::from_millis(100));
            assert_eq!(end.ms(), expected);
        };
        check(1_000, 0, 100);
        check(1_000, 850, 950);
        check(1_000, 950, 1_000);
    }
}
