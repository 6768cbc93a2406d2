//! Lets nodes into the control NATS. The control plane keeps a file with the
//! public keys of the nodes there are; whenever it says something new, the
//! server's configuration is written anew and the server reads it again
//! (SIGHUP), which leaves all other connections alone.
//!
//! Every look compares what is with what was last written, so nothing is lost
//! when either side is started again: a server that starts reads the file by
//! itself. The look is a read of a small file, which is cheaper than any way
//! of being told.

use std::time::Duration;

use hostler_daemon::process::{ProcessId, Signal};
use tokio_util::sync::CancellationToken;

use super::layout::Layout;
use super::nats::{self, NatsAccess};

/// Between two looks: how long a node that joins waits at most.
const LOOK: Duration = Duration::from_millis(200);

/// Runs until `stop`.
pub(crate) async fn run(layout: Layout, access: NatsAccess, stop: CancellationToken) {
    let mut known = nats::node_keys(&layout);
    let pause = || tokio::time::sleep(LOOK);
    while stop.run_until_cancelled(pause()).await.is_some() {
        let keys = nats::node_keys(&layout);
        if keys == known {
            continue;
        }
        match nats::configure(&layout, &access) {
            Ok(()) => {
                reload(&layout);
                known = keys;
            }
            Err(error) => tracing::error!(%error, "could not let nodes into NATS"),
        }
    }
}

fn reload(layout: &Layout) {
    if let Some(server) = ProcessId::read(&layout.run("nats.pid")) {
        server.signal(Signal::HUP);
    }
}
