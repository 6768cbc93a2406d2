//! What handlers and passes share. Nothing here matters to anybody but this
//! process: everything that may not be lost is in the store.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hostler_core::Timestamp;
use hostler_core::node::Timing;
use hostler_core::placement::{Overcommits, Policy};
use hostler_store::Store;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::artifacts::{ArtifactFiles, KnownArtifacts};
use crate::http::{Guesses, KnownTokens, LoginAttempts};
use crate::logs::LogHistory;
use crate::nodes::NodeCalls;
use crate::oidc::Oidc;
use crate::options::{Clock, MetricsText, SessionLimits};
use crate::passes::{Passes, Strays};
use crate::runners::Runners;
use crate::vms::{Sessions, VmCalls};

/// Shared by all; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) files: ArtifactFiles,
    pub(crate) known_artifacts: KnownArtifacts,
    pub(crate) passes: Passes,
    /// What heartbeats said that passes should look into.
    pub(crate) strays: Strays,
    pub(crate) calls: NodeCalls,
    /// What heartbeats said of VMs, by ids that never meet those of workloads.
    pub(crate) vm_strays: Strays,
    pub(crate) vm_calls: VmCalls,
    /// Consoles that are open by a share.
    pub(crate) consoles: Sessions,
    pub(crate) known_tokens: KnownTokens,
    pub(crate) guesses: Guesses,
    pub(crate) attempts: LoginAttempts,
    /// How long users stay signed in.
    pub(crate) sessions: SessionLimits,
    /// Where else users sign in.
    pub(crate) oidc: Option<Arc<Oidc>>,
    pub(crate) logs: Option<LogHistory>,
    /// Where nodes find the control NATS.
    pub(crate) node_nats: Option<String>,
    /// Where machines reach the API.
    pub(crate) public_url: Option<String>,
    pub(crate) metrics: Option<MetricsText>,
    /// What gives machines, if anything does.
    pub(crate) runners: Option<Runners>,
    pub(crate) clock: Clock,
    pub(crate) timing: Timing,
    pub(crate) placing: Placing,
    /// What this process calls itself where it holds leases.
    pub(crate) holder: String,
    /// Explaining reads the whole fleet: a few at a time.
    pub(crate) explaining: Semaphore,
    /// How many nodes are registered, as last counted.
    pub(crate) fleet_size: AtomicUsize,
    /// Cancelled when the process should end; long answers end with it.
    pub(crate) stop: CancellationToken,
}

/// How places are chosen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placing {
    pub(crate) policy: Policy,
    pub(crate) overcommits: Overcommits,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// The time, by the clock that was given.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// How many nodes there are besides one, as last counted. A count that is
    /// late by a moment is harmless: a lease says the same to both sides.
    pub(crate) fn other_nodes(&self) -> usize {
        self.fleet_size.load(Ordering::Relaxed).saturating_sub(1)
    }
}
