//! Tokens and sessions that were looked up a moment ago, so that a client which
//! asks a thousand times a second costs one look a second. Whatever takes
//! rights away in this process forgets them all at once; another process may
//! admit what was taken for as long as a look is believed. Expiry is checked
//! at every request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hostler_core::access::is_expired;
use hostler_store::StoreError;
use sha2::{Digest, Sha256};

use super::{User, proof};
use crate::state::App;

/// How long a look is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// So many are remembered.
const KEPT: usize = 1_000;

/// Users by the digest of their secret; never the secret itself.
#[derive(Default)]
pub(crate) struct KnownTokens(Mutex<HashMap<[u8; 32], (User, Instant)>>);

impl KnownTokens {
    /// The user with this secret, if it proves one and has not expired.
    pub(super) async fn find(&self, app: &App, secret: &str) -> Result<Option<User>, StoreError> {
        let digest: [u8; 32] = Sha256::digest(secret).into();
        let looked = Instant::now();
        let known = self.lock().get(&digest).cloned();
        if let Some((user, at)) = known
            && at.elapsed() < BELIEVED
        {
            return Ok(Some(user).filter(|user| !is_expired(user.expires_at, app.now())));
        }
        let user = proof::look(app, secret).await?;
        if let Some(user) = &user {
            let mut known = self.lock();
            if known.len() >= KEPT {
                known.clear();
            }
            known.insert(digest, (user.clone(), looked));
        }
        Ok(user)
    }

    /// Looks everybody up anew from now on.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], (User, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
