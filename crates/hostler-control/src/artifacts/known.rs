//! What artifacts are, remembered: neither kind nor size of a digest ever
//! changes, so each is read once. Remembered per project, because nobody may
//! learn what another project holds. Whether a project holds one *now* is for
//! the store to say.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hostler_core::Name;
use hostler_core::artifact::ArtifactKind;
use hostler_store::{Store, StoreError};

/// So many are remembered.
const KEPT: usize = 10_000;

/// What never changes of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactFacts {
    pub(crate) kind: ArtifactKind,
    pub(crate) size: u64,
}

/// Artifacts that were looked up before.
#[derive(Default)]
pub(crate) struct KnownArtifacts(Mutex<HashMap<(Name, String), ArtifactFacts>>);

impl KnownArtifacts {
    /// What a project's artifact is; `None` when it never held it.
    pub(crate) async fn find(
        &self,
        store: &Store,
        project: &Name,
        digest: &str,
    ) -> Result<Option<ArtifactFacts>, StoreError> {
        let key = (project.clone(), digest.to_owned());
        if let Some(facts) = self.lock().get(&key) {
            return Ok(Some(*facts));
        }
        let Some(row) = store.artifact_get(project, digest).await? else {
            return Ok(None);
        };
        let facts = ArtifactFacts {
            kind: row.kind,
            size: row.size,
        };
        let mut known = self.lock();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, facts);
        Ok(Some(facts))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Name, String), ArtifactFacts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
