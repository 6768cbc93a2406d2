//! The program inside a slot. It says that it is there (handshake), is given
//! one workload in its life (deploy), runs it, tells how it goes (logs,
//! events, ping) and ends it when told to (undeploy).
//!
//! ```text
//!  idle ──deploy──▶ starting ──▶ running ──▶ exited
//!    │                 └── refused ────────────▲ ▲
//!    └── undeploy ───────────────────────────────┘
//! ```
//!
//! The agent outlives its node's daemon and the server between them: without
//! a link it goes on, tries again for ever, and shakes hands anew when it is
//! back, so that a restarted node finds it with its workload running.
//!
//! Only a lease has an end that needs no node to come ([`lease`]): then the
//! agent kills its workload and ends.
//!
//! What must never happen: a second workload, a second start of the first, a
//! process of the workload left behind or outliving the agent or its lease, a
//! panic on anything that the node or the workload says.
//!
//! Exit status: 0 told to end; 64 the environment is wrong; 69 no node; 70
//! the agent itself is broken; 75 the lease has ended. `hostler-agent exec-child` is how it starts a
//! service (see [`service`]); nobody else calls that.
//!
//! As the first program of a machine it is that machine's init ([`guest`]), and
//! has no exit status: the machine is switched off.

mod agent;
mod deploy;
mod function;
mod guest;
mod handshake;
mod lease;
mod life;
mod link;
mod metadata;
mod outbox;
mod pulse;
mod service;
mod status;

use std::process::ExitCode;
use std::time::Duration;

use hostler_wire::agent::AgentMetadata;

use life::Patience;

/// The environment does not say what it must.
const STATUS_USAGE: u8 = 64;
/// There is no node, or it does not want this agent.
const STATUS_NO_NODE: u8 = 69;
/// The agent itself cannot go on.
const STATUS_BROKEN: u8 = 70;
/// The lease has ended, and the workload with it.
const STATUS_LEASE_OVER: u8 = 75;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == service::EXEC_CHILD)
    {
        return service::exec_child(std::env::args().nth(2).as_deref());
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    if !guest::is_init() {
        return live(metadata::read(), Patience::NEAR).into();
    }
    live(guest::enter(), Patience::GUEST);
    // The end of the agent is the end of its machine, whatever became of it.
    guest::leave();
    STATUS_BROKEN.into()
}

/// Lives as the slot that the metadata says; the exit status.
fn live<E: std::error::Error>(metadata: Result<AgentMetadata, E>, patience: Patience) -> u8 {
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => {
            tracing::error!(%error, "cannot start");
            return STATUS_USAGE;
        }
    };
    // One thread for everything that waits; functions compute on others,
    // which go away when they have nothing to do.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(function::places() + 2)
        .thread_keep_alive(Duration::from_secs(5))
        .build();
    match runtime {
        Ok(runtime) => {
            let status = runtime.block_on(life::live(metadata, patience));
            // A function that computes on is not waited for.
            runtime.shutdown_background();
            status
        }
        Err(error) => {
            tracing::error!(%error, "cannot start");
            STATUS_BROKEN
        }
    }
}
