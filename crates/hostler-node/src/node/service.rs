//! The running node: a handful of tasks, and how they end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::AtStop;
use crate::control::{ControlApi, Requests};
use crate::fence::{Lease, tell, watch};
use crate::heartbeat::Heart;
use crate::identity::Registration;
use crate::ledger::{Ledger, Record};
use crate::relay::{Outbox, Relay};
use crate::report::report;
use crate::slots::{SlotEvent, Slots};
use crate::vms::Vms;
use crate::workloads::{Workloads, pump};

/// How long requests under way may take to end at a stop.
const REQUESTS: Duration = Duration::from_secs(5);
/// How long what is still to be said may take.
const WORDS: Duration = Duration::from_secs(2);

/// A node that was opened and is to be run.
pub struct Service {
    pub(super) at_stop: AtStop,
    pub(super) grace: Duration,
    pub(super) client: async_nats::Client,
    pub(super) slots: Slots,
    pub(super) slots_stop: CancellationToken,
    pub(super) events: mpsc::Receiver<SlotEvent>,
    pub(super) relay: Relay,
    pub(super) outbox: Outbox,
    pub(super) ledger: Ledger,
    pub(super) lease: Lease,
    pub(super) workloads: Workloads,
    pub(super) vms: Option<Vms>,
    pub(super) work_stop: CancellationToken,
    pub(super) control_api: Arc<ControlApi>,
    pub(super) requests: Requests,
    pub(super) heart: Option<Heart>,
    pub(super) registration: Option<Registration>,
    pub(super) listener: TcpListener,
    pub(super) router: Router,
}

impl Service {
    /// Works until `stop`, then stops in good order. What becomes of the work
    /// was said in the options.
    pub async fn run(self, stop: CancellationToken) {
        let edge = CancellationToken::new();
        let words = CancellationToken::new();
        let tasks = TaskTracker::new();
        let relayed = tokio::spawn(self.relay.clone().run(
            self.outbox,
            self.client.clone(),
            words.clone(),
        ));
        tasks.spawn(serve(self.listener, self.router, edge.clone()));
        tasks.spawn(pump(self.workloads.clone(), self.events, edge.clone()));
        tasks.spawn(watch(
            self.lease.clone(),
            self.workloads.clone(),
            self.vms.clone(),
            edge.clone(),
        ));
        tasks.spawn(tell(self.lease.clone(), self.slots.clone(), edge.clone()));
        if let Some(heart) = self.heart {
            tasks.spawn(heart.run(self.registration, edge.clone()));
        }
        let api = Arc::clone(&self.control_api);
        tasks.spawn(Arc::clone(&api).run(self.requests, edge.clone()));
        let (pulse, pulse_stop) = (Arc::clone(&api), edge.clone());
        tasks.spawn(async move { pulse.pulse(pulse_stop).await });

        stop.cancelled().await;
        tracing::info!("the node is stopping");
        edge.cancel();
        self.work_stop.cancel();
        tasks.close();
        if tokio::time::timeout(REQUESTS, tasks.wait()).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
        self.workloads.wait().await;
        if let Some(vms) = &self.vms {
            vms.wait().await;
        }
        lame_duck_leave(&self.workloads, &self.ledger).await;
        if self.at_stop == AtStop::Ends {
            self.slots.shutdown_all(self.grace).await;
        }
        api.stopped();
        words.cancel();
        tokio::time::timeout(WORDS, relayed).await.ok();
        tokio::time::timeout(WORDS, self.client.flush()).await.ok();
        self.slots_stop.cancel();
        self.ledger.close().await;
    }
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the node's HTTP API ended");
    }
}

/// A lame duck that is stopped when its work is done is none at its next
/// start; one that is stopped before, or dies, stays one.
async fn lame_duck_leave(workloads: &Workloads, ledger: &Ledger) {
    let done = {
        let roster = workloads.roster();
        let roster = roster.borrow();
        roster.lame_duck && roster.is_idle()
    };
    if !done {
        return;
    }
    let record = vec![Record::LameDuck { entered: false }];
    if let Err(error) = ledger.append(record).await {
        tracing::error!(error = %report(&error), "could not leave lame duck mode");
    }
}
