//! Starts everything: the watches, the snapshot, the book, the lease.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::runner::RunnerPool;
use hostler_runners::clock::Clock;
use hostler_runners::jobs::JobBook;
use hostler_runners::provider::{Provider, Snapshot};
use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::book::Book;
use crate::lease;
use crate::provider::Kubernetes;
use crate::seen::{Eye, see};
use crate::settings::Settings;
use crate::watch::{Feed, Hub, Scope, event, node, placeholder, program};

/// How long changes are gathered after one was shown.
const GATHER: Duration = Duration::from_millis(10);

/// A provider on its way, and what belongs to it.
pub struct Started {
    /// The provider.
    pub provider: Arc<Kubernetes>,
    /// Its jobs.
    pub book: Arc<dyn JobBook>,
    /// Whether this manager leads.
    pub leads: watch::Receiver<bool>,
}

/// Starts the provider for these pools, until `stop`. It does not wait for the
/// API server: what it has not seen yet, it says in its snapshots.
pub fn start(
    client: Client,
    settings: Settings,
    pools: &[Arc<RunnerPool>],
    clock: Clock,
    stop: &CancellationToken,
) -> Started {
    let settings = Arc::new(settings);
    let hub = Arc::new(Hub::new(clock));
    let seen = Arc::new(watch::Sender::new(Arc::<Snapshot>::default()));
    feed(&client, &settings, pools, &hub, stop);
    let eye = eye(&settings, pools);
    until(stop, show(Arc::clone(&hub), eye, Arc::clone(&seen)));
    let leads = lease::keep(&client, &settings, &hub, stop);
    let book = Arc::new(Book::new(&client, &settings, Arc::clone(&hub)));
    let provider = Arc::new(Kubernetes::new(client, settings, hub, seen));
    Started {
        provider,
        book,
        leads,
    }
}

fn until(stop: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    tokio::spawn(async move { stop.run_until_cancelled(task).await });
}

fn eye(settings: &Settings, pools: &[Arc<RunnerPool>]) -> Eye {
    let usual = pools.first().map(|pool| pool.name.clone());
    Eye {
        namespace: settings.namespace.clone(),
        manager: settings.manager.clone(),
        programs_in: settings.programs_in.clone(),
        pool: usual,
    }
}

/// Placeholders and programs of all namespaces, where we may: other managers'
/// placeholders are on our nodes, and a program in the wrong namespace is a
/// hint.
fn feed(
    client: &Client,
    settings: &Settings,
    pools: &[Arc<RunnerPool>],
    hub: &Arc<Hub>,
    stop: &CancellationToken,
) {
    let (app, name) = crate::api::names::APP;
    let placeholders = Feed {
        hub: Arc::clone(hub),
        scope: Scope::labelled(client, &settings.namespace, format!("{app}={name}")),
        slim: Box::new(|pod| Some(placeholder(pod))),
        table: |world| &mut world.placeholders,
    };
    let programs = Feed {
        hub: Arc::clone(hub),
        scope: Scope::labelled(client, &settings.programs_in, settings.programs.clone()),
        slim: Box::new(program),
        table: |world| &mut world.programs,
    };
    let pools = pools.to_vec();
    let nodes = Feed {
        hub: Arc::clone(hub),
        scope: Scope::cluster(client),
        slim: Box::new(move |object| Some(node(object, &pools))),
        table: |world| &mut world.nodes,
    };
    let events = Feed {
        hub: Arc::clone(hub),
        scope: Scope::pod_events(client, &settings.namespace),
        slim: Box::new(|object| event(&object)),
        table: |world| &mut world.events,
    };
    until(stop, placeholders.run());
    until(stop, programs.run());
    until(stop, nodes.run());
    until(stop, events.run());
}

/// Shows the world after each change, many at a time when they come fast.
async fn show(hub: Arc<Hub>, eye: Eye, seen: Arc<watch::Sender<Arc<Snapshot>>>) {
    let mut changes = hub.changes();
    loop {
        changes.mark_unchanged();
        let now = hub.now();
        let before = Arc::clone(&seen.borrow());
        let (snapshot, again) = hub.look(|world| see(world, &eye, &before, now));
        if snapshot != *before {
            seen.send_replace(Arc::new(snapshot));
        }
        tokio::time::sleep(GATHER).await;
        let due = async {
            match again {
                Some(at) => tokio::time::sleep(at.since(hub.now())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            told = changes.changed() => if told.is_err() { return },
            () = due => {}
        }
    }
}

impl Kubernetes {
    /// Waits until everything was seen once, or it is known what hinders it.
    pub async fn seen_once(&self) {
        let mut seen = self.snapshots();
        let known = |snapshot: &Arc<Snapshot>| snapshot.is_synced || snapshot.problem.is_some();
        // The sender lives as long as the provider.
        let _ = seen.wait_for(known).await;
    }
}
