//! Bringing the slots up, and taking them down for good.
//!
//! Order of a start: what machines are left is looked up first, because it
//! decides whether the inner server's port may change; then the server, the
//! connection, the desk for agents' messages, and only then the pool.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::record::Claims;
use super::shared::{Folders, FrontDesk, Shared};
use super::table::Table;
use super::{SlotEvent, Slots, SlotsError, SlotsOptions, adopt, release};
use crate::agents::{Link, listen};
use crate::hypervisor::Driver;
use crate::inner::{Inner, InnerOptions};
use crate::pool;

/// Starts everything; see [`Slots::start`].
pub(crate) async fn start(
    options: SlotsOptions,
    stop: CancellationToken,
) -> Result<(Slots, mpsc::Receiver<SlotEvent>), SlotsError> {
    let folders = Folders::of(&options.data);
    let tasks = TaskTracker::new();
    let vms = driver(&options, &folders)?;
    let options = if vms.is_emulated() {
        options.emulated()
    } else {
        options
    };
    let claims = Claims::open(folders.claims.clone()).map_err(folder(&folders.claims))?;
    let claimed = claims.list().map_err(folder(&folders.claims))?;
    let found = vms.list().await.map_err(folder(&folders.slots))?;
    let inner = InnerOptions {
        folder: folders.inner,
        program: options.nats_server.clone(),
        port_held: found.iter().any(|one| one.alive),
    };
    let inner = Inner::start(inner, &stop, &tasks).await?;
    let table = Arc::new(Table::default());
    let adopted = adopt::enter(&table, &found, &claimed);
    let (events, reader) = mpsc::channel(options.events.max(1));
    let desk = Arc::new(FrontDesk {
        table: Arc::clone(&table),
        events: events.clone(),
        clock: options.clock.clone(),
        stop: stop.clone(),
    });
    let link = connect(&inner).await?;
    listen(&link, &desk, &stop, &tasks)
        .await
        .map_err(SlotsError::Connect)?;
    let shared = Arc::new(Shared {
        options,
        table,
        vms,
        inner,
        link,
        claims,
        events,
        adopted,
        wake: Notify::new(),
        problem: Mutex::default(),
        filling: stop.child_token(),
        stop,
        tasks,
    });
    adopt::sort_out(&shared, found, &claimed);
    shared.tasks.spawn(pool::keep(Arc::clone(&shared)));
    Ok((Slots { shared }, reader))
}

/// Releases every slot and ends what is beside them.
pub(crate) async fn shutdown_all(shared: &Arc<Shared>, grace: Duration) {
    shared.filling.cancel();
    shared.wake.notify_one();
    let slots = shared.table.slots();
    let ends = slots.into_iter().map(|slot| async move {
        if let Err(error) = release::release(shared, slot, grace).await {
            tracing::error!(%slot, %error, "could not end a slot");
        }
    });
    join_all(ends).await;
    shared.link.end();
    shared.inner.shutdown().await;
    shared.vms.remove();
}

fn driver(options: &SlotsOptions, folders: &Folders) -> Result<Driver, SlotsError> {
    Driver::pick(
        &options.driver,
        folders.slots.clone(),
        options.agent.clone(),
        options.deadlines.kill,
    )
    .map_err(SlotsError::Driver)
}

async fn connect(inner: &Inner) -> Result<Link, SlotsError> {
    let credentials = inner.node_credentials()?;
    Link::connect(inner.port(), &credentials)
        .await
        .map_err(SlotsError::Connect)
}

fn folder(path: &Path) -> impl FnOnce(std::io::Error) -> SlotsError {
    let path = path.to_path_buf();
    move |source| SlotsError::Folder { path, source }
}
