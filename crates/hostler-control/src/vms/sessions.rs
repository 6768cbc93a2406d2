//! Consoles that are open, so that revoking a share cuts them at once. In
//! another process they are cut when it next looks whether the share is there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A token for each share that somebody uses right now.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<BTreeMap<Uuid, CancellationToken>>);

impl Sessions {
    /// What is cancelled when the share is revoked.
    pub(crate) fn of(&self, share: Uuid) -> CancellationToken {
        self.lock().entry(share).or_default().child_token()
    }

    /// Cuts every session of a share.
    pub(crate) fn cut(&self, share: Uuid) {
        if let Some(token) = self.lock().remove(&share) {
            token.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revoking_cuts_the_sessions_of_one_share() {
        let sessions = Sessions::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let cut = [sessions.of(one), sessions.of(one)];
        let kept = sessions.of(other);
        sessions.cut(one);
        assert!(cut.iter().all(CancellationToken::is_cancelled));
        assert!(!kept.is_cancelled());
        assert!(
            !sessions.of(one).is_cancelled(),
            "a share that is made anew"
        );
    }
}
