//! Tells the agents of leased work when the lease ends: after each renewal,
//! and when one begins to have leased work, or was found to have it. One
//! question and one answer for each on the inner server; who did not answer is
//! asked again.

use std::time::Duration;

use futures::future::join_all;
use hostler_core::id::SlotId;
use tokio_util::sync::CancellationToken;

use super::{Lease, Word};
use crate::report::report;
use crate::slots::{LeaseHeard, Slots};

/// Before those who did not answer are asked again.
const AGAIN: Duration = Duration::from_millis(100);

impl Lease {
    /// What there is to tell agents now.
    pub(crate) fn word(&self) -> Word {
        let mut held = self.held();
        let now = self.now();
        let span = held.lease.agents_span(now);
        let own = span == held.lease.span();
        let inherited = if own {
            self.0.inherited
        } else {
            Duration::ZERO
        };
        let ends_at = held.lease.agents_end(now);
        Word {
            order: held.agents.order(now),
            ends_at: ends_at.map(|end| end.max(inherited)),
            span,
        }
    }

    /// This slot has leased work, or is about to. To be said before it has.
    pub(crate) fn hold(&self, slot: SlotId) {
        self.held().agents.hold(slot);
        self.0.untold.notify_one();
    }

    /// Nothing is left of this slot.
    pub(crate) fn let_go(&self, slot: SlotId) {
        self.held().agents.let_go(slot);
        self.0.untold.notify_one();
    }

    fn told(&self, slot: SlotId, word: Word) {
        self.held().agents.told(slot, word);
    }

    fn untellable(&self, slot: SlotId) {
        self.held().agents.untellable(slot);
    }

    fn untold(&self, word: &Word) -> Vec<SlotId> {
        self.held().agents.untold(word)
    }

    async fn untold_changed(&self) {
        self.0.untold.notified().await;
    }
}

/// Runs until `stop`.
pub(crate) async fn tell(lease: Lease, slots: Slots, stop: CancellationToken) {
    loop {
        let word = lease.word();
        let told = lease.untold(&word).into_iter();
        let told = join_all(told.map(|slot| tell_one(&lease, &slots, slot, word)));
        let Some(told) = stop.run_until_cancelled(told).await else {
            return;
        };
        if let Err(error) = lease.take_over() {
            tracing::error!(error = %report(&error), "could not keep the lease");
        }
        let missed = told.contains(&false);
        tokio::select! {
            () = stop.cancelled() => return,
            () = lease.untold_changed() => {}
            () = tokio::time::sleep(AGAIN), if missed => {}
        }
    }
}

/// Whether there is no more to do about this one.
async fn tell_one(lease: &Lease, slots: &Slots, slot: SlotId, word: Word) -> bool {
    match slots.lease(slot, word).await {
        Ok(LeaseHeard::Known) => lease.told(slot, word),
        Ok(LeaseHeard::NotUnderstood) => lease.untellable(slot),
        Err(error) => {
            tracing::debug!(%slot, error = %report(&error), "an agent was not told of the lease");
            return false;
        }
    }
    true
}
