//! One manager of several leads. A lease names the leader; the others watch it
//! change, and take it over when it has not changed for as long as it says.
//!
//! Time is our own: from when *we* saw the lease change, so that clocks that
//! differ make nobody lead twice. A leader that cannot renew stops leading
//! before anybody else begins.

mod decide;
mod hold;

use std::sync::Arc;

use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;
use crate::watch::Hub;

/// Keeps or takes the lease until `stop`, and says whether we lead. At the end
/// it is given back, so that the next one need not wait.
pub(crate) fn keep(
    client: &Client,
    settings: &Arc<Settings>,
    hub: &Arc<Hub>,
    stop: &CancellationToken,
) -> watch::Receiver<bool> {
    let (leads, seen) = watch::channel(false);
    let holder = hold::Holder::new(client, settings, Arc::clone(hub), leads);
    let stop = stop.clone();
    tokio::spawn(holder.run(stop));
    seen
}
