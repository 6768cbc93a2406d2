//! The heartbeat: joins the fleet if need be, then tells the control plane
//! all there is on this node, again and again.
//!
//! It stands on its own feet: a task that waits for nothing but its timer, a
//! change worth telling, and the control plane's answer. What it tells was
//! published by others beforehand. Each sending and each answer is noted in
//! the [`Lease`], which is what keeps leased work alive.
//!
//! ```text
//!  joining ──▶ beating ──▶ (answered: pause of one heartbeat, less jitter)
//!                 │  ▲ └──▶ (not answered: shorter pauses, doubling)
//!                 ▼  │
//!             unregistered: leased work is stopped; asks on, slowly
//! ```

mod join;
mod pace;
mod tell;

use std::path::PathBuf;
use std::time::Duration;

use hostler_core::id::BootId;
use hostler_core::node::{Beat, Timing};
use hostler_wire::client::{ClientError, ControlClient};
use hostler_wire::node_api::HeartbeatReply;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use join::{Joining, join};
pub(crate) use tell::Telling;
use tell::Told;

use crate::fence::Lease;
use crate::identity::{ApiKey, Registration};
use crate::report::report;
use crate::vms::{VmRoster, Vms};
use crate::workloads::Workloads;
use pace::Pace;

/// A heartbeat that takes longer than this has failed.
const DEADLINE: Duration = Duration::from_secs(10);

/// Everything a heartbeat needs.
pub(crate) struct Heart {
    pub(crate) control: ControlClient,
    pub(crate) boot: BootId,
    pub(crate) lease: Lease,
    pub(crate) workloads: Workloads,
    pub(crate) vms: Option<Vms>,
    pub(crate) telling: Telling,
    pub(crate) data: PathBuf,
    pub(crate) joining: Joining,
    /// Where the key goes once the node has joined.
    pub(crate) key: watch::Sender<Option<ApiKey>>,
}

/// What came of one heartbeat.
enum Answer {
    Answered(HeartbeatReply),
    Failed,
    /// The control plane does not know this node.
    Unknown,
}

impl Heart {
    /// Runs until `stop`.
    pub(crate) async fn run(self, known: Option<Registration>, stop: CancellationToken) {
        let registration = if let Some(registration) = known {
            registration
        } else {
            tokio::select! {
                () = stop.cancelled() => return,
                registration = join(&self.control, &self.joining, &self.data) => registration,
            }
        };
        self.key.send_replace(Some(registration.api_key.clone()));
        let heartbeat = Duration::from_millis(registration.heartbeat_ms);
        self.lease.joined(Timing::of(heartbeat).fence_after);
        let pace = Pace::new(heartbeat);
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.beat(&registration, pace) => {}
        }
    }

    async fn beat(&self, registration: &Registration, mut pace: Pace) {
        let mut roster = self.workloads.roster();
        // Without VMs, one that never changes.
        let still = watch::Sender::new(VmRoster::default());
        let vms = self.vms.as_ref().map(Vms::roster);
        let mut vms = vms.unwrap_or_else(|| still.subscribe());
        let mut unknown = false;
        for sequence in 1.. {
            let told = Told {
                work: roster.borrow_and_update().clone(),
                vms: vms.borrow_and_update().clone(),
            };
            match self
                .once(registration, sequence, &told, pace.interval())
                .await
            {
                Answer::Answered(reply) => {
                    pace.answered(Duration::from_millis(reply.heartbeat_ms));
                    self.workloads.forget(&reply.forget);
                    if let Some(vms) = &self.vms {
                        vms.forget(&reply.forget_vms);
                    }
                    unknown = false;
                }
                Answer::Failed => pace.failed(),
                Answer::Unknown => {
                    pace.failed();
                    self.unregistered(&mut unknown);
                }
            }
            pace.wait(&mut roster, &mut vms).await;
        }
    }

    async fn once(
        &self,
        registration: &Registration,
        sequence: u64,
        told: &Told,
        interval: Duration,
    ) -> Answer {
        let beat = Beat {
            boot: self.boot,
            sequence,
        };
        let body = self.telling.body(beat, self.lease.span(), told);
        self.lease.sent(sequence);
        let asked = self.control.heartbeat(registration.api_key.expose(), &body);
        let reply = match tokio::time::timeout(DEADLINE.min(interval.max(PATIENCE)), asked).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) if is_unknown(&error) => {
                tracing::debug!(sequence, error = %report(&error), "heartbeat refused");
                return Answer::Unknown;
            }
            Ok(Err(error)) => {
                tracing::warn!(sequence, error = %report(&error), "heartbeat not answered");
                return Answer::Failed;
            }
            Err(_) => {
                tracing::warn!(sequence, "heartbeat not answered in time");
                return Answer::Failed;
            }
        };
        let told = reply.fence_after_ms.map(Duration::from_millis);
        if let Err(error) = self.lease.answered(sequence, told) {
            tracing::error!(sequence, error = %report(&error), "could not keep the lease");
            return Answer::Failed;
        }
        Answer::Answered(reply)
    }

    fn unregistered(&self, before: &mut bool) {
        if !std::mem::replace(before, true) {
            tracing::error!(
                "the control plane does not know this node any more: its leased work is \
                 stopped; remove registration.json from the data folder and give the node a new \
                 join token to have it join again"
            );
        }
        self.workloads
            .fence("the control plane does not know this node any more");
        if let Some(vms) = &self.vms {
            vms.fence();
        }
    }
}

/// However short the heartbeat, an answer may take this long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the control plane itself, not something before it, says that there
/// is no such node.
fn is_unknown(error: &ClientError) -> bool {
    let refused = error.status().map(|status| status.as_u16());
    let words = error.body().is_some_and(|body| body.code != "unknown");
    matches!(refused, Some(401 | 404)) && words
}
