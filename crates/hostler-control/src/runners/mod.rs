//! The runner manager within the control plane: its jobs are rows, its fleet is
//! this one, and of several control planes the one that scales leads.
//!
//! What must never happen: a machine given back before that is written down; a
//! node closed for a removal that was called off.

mod book;
mod fleet;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hostler_core::runner::job::WaitFor;
use hostler_core::runner::{RunnerPool, StatusRules};
use hostler_runners::fleet::Members;
use hostler_runners::http::unlocked;
use hostler_runners::manager::{Manager, Parts, Rules};
use hostler_runners::provider::Provider;
use hostler_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::options::Clock;
use crate::passes::Passes;
use book::StoreBook;
use fleet::StoreFleet;

/// What gives machines, and which kinds of them there are.
#[derive(Clone)]
pub struct RunnerOptions {
    /// What gives them.
    pub provider: Arc<dyn Provider>,
    /// The kinds, the default one first.
    pub pools: Vec<Arc<RunnerPool>>,
    /// How long work must have been without a seat until a machine is bought.
    pub patience: Duration,
}

/// The manager, and what the pass that scales shares with it.
pub(crate) struct Runners {
    pub(crate) options: RunnerOptions,
    pub(crate) manager: Manager,
    /// The manager's routes, without locks.
    pub(crate) routes: Router,
    /// Nodes that are runners' machines, for the manager's keepers.
    pub(crate) members: watch::Sender<Arc<Members>>,
    /// Whether this control plane carries jobs out.
    pub(crate) leads: watch::Sender<bool>,
}

/// Between two looks at the book, which other control planes write, too.
const BOOK_POLL: Duration = Duration::from_secs(2);
/// How long jobs are kept of which nothing is left.
const KEEP: Duration = Duration::from_hours(1);

/// What everything here works with.
pub(crate) struct Ground {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) passes: Passes,
    pub(crate) holder: String,
}

impl Runners {
    /// Starts the manager. It runs until `stop`; it leads once the pass says so.
    pub(crate) fn start(options: RunnerOptions, ground: Ground, stop: CancellationToken) -> Self {
        let members = watch::Sender::new(Arc::new(awaited()));
        let leads = watch::Sender::new(false);
        let fleet = StoreFleet::new(&ground, members.clone());
        let parts = Parts {
            provider: Arc::clone(&options.provider),
            book: Arc::new(StoreBook::new(&ground)),
            fleet: Arc::new(fleet),
            pools: options.pools.clone(),
            rules: rules(&options, ground.holder),
            clock: ground.clock,
            leads: leads.subscribe(),
        };
        let manager = Manager::start(parts, stop);
        Self {
            routes: unlocked(manager.clone()),
            options,
            manager,
            members,
            leads,
        }
    }
}

fn awaited() -> Members {
    Members {
        are_awaited: true,
        ..Members::default()
    }
}

fn rules(options: &RunnerOptions, name: String) -> Rules {
    let slowest = options.pools.iter().map(|pool| pool.boot_within).max();
    Rules {
        name,
        wait_for: WaitFor::Ready,
        status: StatusRules {
            register_within: slowest.unwrap_or(StatusRules::default().register_within),
            ..StatusRules::default()
        },
        book_poll: Some(BOOK_POLL),
        keep: KEEP,
        ..Rules::default()
    }
}
