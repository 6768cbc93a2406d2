//! Deploy tokens that were used: a token deploys once on a node. Without this
//! whoever saw a request could send it again (protocol 12, 21).

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::ledger::Book;

/// Marks of used tokens. Cloning gives another handle to the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Replay(Arc<Mutex<Used>>);

#[derive(Debug, Default)]
struct Used {
    marks: HashSet<String>,
    /// The same, oldest first.
    order: VecDeque<String>,
}

/// A token being used. Dropped, it may be used again; kept, it may not.
#[derive(Debug)]
pub(crate) struct Use {
    replay: Replay,
    mark: String,
    kept: bool,
}

impl Replay {
    /// The marks in the ledger.
    pub(crate) fn new(book: &Book) -> Self {
        Self(Arc::new(Mutex::new(Used {
            marks: book.used.iter().cloned().collect(),
            order: book.used.clone(),
        })))
    }

    /// Begins to use a token, unless it was used, or is being used.
    pub(crate) fn begin(&self, token: &str) -> Option<Use> {
        let mark = token_mark(token);
        let mut used = self.used();
        used.marks.insert(mark.clone()).then(|| Use {
            replay: self.clone(),
            mark,
            kept: false,
        })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Use {
    /// The mark to write down.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// The token was used.
    pub(crate) fn keep(mut self) {
        self.kept = true;
        let mut used = self.replay.used();
        used.order.push_back(self.mark.clone());
        if used.order.len() > Book::USED_MAX
            && let Some(oldest) = used.order.pop_front()
        {
            used.marks.remove(&oldest);
        }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        if !self.kept {
            self.replay.used().marks.remove(&self.mark);
        }
    }
}

/// What stands for a token: a digest of its claims. The header and signature
/// around them could be written in other ways that are as good.
fn token_mark(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap_or(token);
    let digest = HEXLOWER.encode(&Sha256::digest(claims));
    digest[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_once_and_a_failed_use_does_not_count() {
        let replay = Replay::new(&Book::default());
        let first = replay.begin("a.b.c").unwrap();
        assert!(replay.begin("a.b.c").is_none(), "being used");
        drop(first);
        replay.begin("a.b.c").unwrap().keep();
        assert!(replay.begin("a.b.c").is_none());
        assert!(replay.begin("A.b.C").is_none(), "the same claims");
        assert!(replay.begin("a.x.c").is_some());
    }

    #[test]
    fn tokens_used_before_a_restart_stay_used() {
        let mut book = Book::default();
        book.used.push_back(token_mark("a.b.c"));
        assert!(Replay::new(&book).begin("a.b.c").is_none());
    }
}
