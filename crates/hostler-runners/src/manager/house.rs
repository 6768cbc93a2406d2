//! Reads the book, gives every job its keeper, and takes out old ones.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::runner::job::{Job, Stage};
use hostler_daemon::backoff::Backoff;

use super::Manager;

const SWEEP: Duration = Duration::from_mins(1);

/// Keeps house until the manager stops.
pub(super) async fn keep(manager: Manager) {
    let stop = manager.0.stop.clone();
    let _ = stop.run_until_cancelled(keep_on(&manager)).await;
}

async fn keep_on(manager: &Manager) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    let mut leads = manager.0.parts.leads.clone();
    loop {
        let pause = match read(manager).await {
            Ok(()) => {
                backoff.reset();
                manager.0.is_loaded.send_replace(true);
                sweep(manager).await;
                manager.rules().book_poll.unwrap_or(SWEEP)
            }
            Err(error) => {
                tracing::warn!(%error, "could not read the book of jobs");
                backoff.pause()
            }
        };
        tokio::select! {
            Ok(()) = leads.changed() => {}
            () = manager.0.book_changed.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Each job has a keeper somewhere: here, if this manager leads and nobody else
/// is at it. Alone with its book, a manager has read it once and for all.
pub(super) async fn read(manager: &Manager) -> Result<(), crate::jobs::BookError> {
    let is_read = *manager.0.is_loaded.borrow() && manager.rules().book_poll.is_none();
    if is_read {
        return Ok(());
    }
    for job in manager.0.parts.book.list().await? {
        if manager.0.board.has_keeper(job.id) {
            let known = manager.0.board.get(job.id);
            if known.is_some_and(|known| known.revision < job.revision) {
                manager.0.board.offer(job);
                manager.wake();
            }
            continue;
        }
        if manager.leads() && job.is_watched() && manager.may_keep(&job) {
            manager.keep(job, true);
        } else {
            manager.0.board.show(&Arc::new(job));
        }
    }
    Ok(())
}

impl Manager {
    fn may_keep(&self, job: &Job) -> bool {
        let underway = matches!(job.stage, Stage::Asked | Stage::RollingBack);
        let now = self.now();
        let others = job
            .worker
            .as_ref()
            .filter(|worker| worker.name != self.rules().name);
        !underway || others.is_none_or(|worker| now >= worker.until)
    }
}

async fn sweep(manager: &Manager) {
    if !manager.leads() {
        return;
    }
    let now = manager.now();
    for job in manager.0.board.all() {
        let is_old = job
            .settled_at()
            .is_some_and(|at| now >= at + manager.rules().keep);
        if is_old && manager.0.parts.book.remove(job.id).await.is_ok() {
            manager.0.board.forget(job.id);
        }
    }
}
