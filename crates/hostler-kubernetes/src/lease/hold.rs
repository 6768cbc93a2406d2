//! Looks at the lease, decides, and writes it with the version it has read:
//! of two that write, one is refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::decide::{Act, EVERY, LASTS, Seen, YIELDS, decide};
use crate::api::{Failure, within};
use crate::settings::Settings;
use crate::watch::Hub;

/// What a manager without the right to leases goes without.
const LEASES: &str = "leases: get, create, update: this manager leads, and must be the only one";

pub(super) struct Holder {
    api: Api<Lease>,
    name: String,
    me: String,
    hub: Arc<Hub>,
    leads: watch::Sender<bool>,
    /// The lease's version, and since when it has been that.
    version: (Option<String>, Instant),
    /// When we last knew that it was ours: before we asked.
    held: Option<Instant>,
}

impl Holder {
    pub(super) fn new(
        client: &Client,
        settings: &Settings,
        hub: Arc<Hub>,
        leads: watch::Sender<bool>,
    ) -> Self {
        Self {
            api: Api::namespaced(client.clone(), &settings.namespace),
            name: format!("hostler-{}", settings.manager),
            me: settings.replica.clone(),
            hub,
            leads,
            version: (None, Instant::now()),
            held: None,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let began = Instant::now();
            let turn = stop.run_until_cancelled(self.turn()).await;
            let Some(turn) = turn else { break };
            let pause = self.lead(turn, began);
            let _ = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
        self.give_back().await;
    }

    /// Says whether we lead after this turn; how long until the next.
    fn lead(&mut self, turn: Result<bool, Failure>, began: Instant) -> Duration {
        match turn {
            Ok(true) => self.held = Some(began),
            Ok(false) => self.held = None,
            Err(failure) => tracing::debug!("the lease could not be looked at: {failure}"),
        }
        let leads = self.held.is_some_and(|held| held.elapsed() < YIELDS);
        if self.leads.send_replace(leads) != leads {
            tracing::info!(
                "this manager {}",
                if leads { "leads" } else { "leads no longer" }
            );
        }
        match self.held {
            Some(held) if leads => EVERY.min(YIELDS.saturating_sub(held.elapsed())),
            _ => EVERY / 4,
        }
    }

    /// Whether the lease is ours after this turn.
    async fn turn(&mut self) -> Result<bool, Failure> {
        match self.step().await {
            // Alone by the look of it: there is nobody to share it with.
            Err(failure) if failure.is_denied() => {
                self.hub.lacks(LEASES, true);
                Ok(true)
            }
            Err(failure) if failure.is_conflict() => Ok(false),
            other => {
                if other.is_ok() {
                    self.hub.lacks(LEASES, false);
                }
                other
            }
        }
    }

    async fn step(&mut self) -> Result<bool, Failure> {
        let lease = within(EVERY, self.api.get_opt(&self.name)).await?;
        let version = lease
            .as_ref()
            .and_then(|lease| lease.metadata.resource_version.clone());
        if self.version.0 != version {
            self.version = (version, Instant::now());
        }
        let seen = lease.as_ref().map(seen);
        let unchanged = self.version.1.elapsed();
        let post = PostParams::default();
        match decide(seen.as_ref(), &self.me, unchanged) {
            Act::Wait => return Ok(false),
            Act::Make => {
                let lease = self.written(Lease::default(), 0);
                within(EVERY, self.api.create(&post, &lease)).await?;
            }
            act @ (Act::Take | Act::Renew) => {
                let terms = seen.map_or(0, |seen| seen.terms) + i32::from(act == Act::Take);
                let lease = self.written(lease.unwrap_or_default(), terms);
                within(EVERY, self.api.replace(&self.name, &post, &lease)).await?;
            }
        }
        Ok(true)
    }

    fn written(&self, mut lease: Lease, terms: i32) -> Lease {
        let now = MicroTime(jiff::Timestamp::now());
        let before = lease.spec.take().unwrap_or_default();
        let is_new = before.holder_identity.as_deref() != Some(self.me.as_str());
        lease.metadata.name = Some(self.name.clone());
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            acquire_time: if is_new {
                Some(now.clone())
            } else {
                before.acquire_time
            },
            renew_time: Some(now),
            lease_transitions: Some(terms),
            ..LeaseSpec::default()
        });
        lease
    }

    async fn give_back(&mut self) {
        let leads = self.leads.send_replace(false);
        if !leads {
            return;
        }
        let Ok(Some(mut lease)) = within(EVERY, self.api.get_opt(&self.name)).await else {
            return;
        };
        if let Some(spec) = lease
            .spec
            .as_mut()
            .filter(|spec| spec.holder_identity.as_ref() == Some(&self.me))
        {
            spec.holder_identity = Some(String::new());
            let post = PostParams::default();
            let replaced = self.api.replace(&self.name, &post, &lease);
            if let Err(failure) = within(EVERY, replaced).await {
                tracing::debug!("the lease could not be given back: {failure}");
            }
        }
    }
}

fn seen(lease: &Lease) -> Seen {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.unwrap_or_default();
    let lasts = u64::try_from(seconds).map(Duration::from_secs);
    Seen {
        holder: spec.holder_identity,
        lasts: lasts.unwrap_or(LASTS),
        terms: spec.lease_transitions.unwrap_or_default(),
    }
}
