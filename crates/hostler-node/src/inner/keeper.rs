//! Starting the inner server again when it dies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hostler_daemon::backoff::Backoff;
use hostler_daemon::process::ProcessId;
use hostler_wire::nats::server::Authority;
use tokio_util::sync::CancellationToken;

use super::server::Server;
use crate::hypervisor::process::process_ended;

/// A server that ran this long was healthy; its next restart is quick again.
const HEALTHY: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Keeps the server `id` alive, or the next one, until `stop`, which leaves
/// it running.
pub(super) async fn keep(
    server: Arc<Server>,
    authority: Authority,
    mut id: ProcessId,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let since = Instant::now();
        let ended = stop.run_until_cancelled(process_ended(id)).await;
        // Whoever stops the server says so first, and both may be seen at once.
        if ended.is_none() || stop.is_cancelled() {
            return;
        }
        server.reap().await;
        tracing::warn!(
            pid = id.pid,
            "the inner nats-server ended; starting it again"
        );
        if since.elapsed() >= HEALTHY {
            backoff.reset();
        }
        match stop
            .run_until_cancelled(restart(&server, &authority, &mut backoff))
            .await
        {
            Some(next) => id = next,
            None => return,
        }
    }
}

async fn restart(server: &Server, authority: &Authority, backoff: &mut Backoff) -> ProcessId {
    loop {
        tokio::time::sleep(backoff.pause()).await;
        match server.adopt_or_start(authority).await {
            Ok(id) => return id,
            Err(error) => tracing::error!(%error, "could not start the inner nats-server again"),
        }
    }
}
