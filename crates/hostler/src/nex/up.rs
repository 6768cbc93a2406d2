//! `nex node up`: a node that works alone, for requests over NATS, by the
//! original's configuration.

use anyhow::Result;
use hostler_node::{NatsOptions, NodeOptions};

use super::args::NodeUpArgs;
use crate::commands::node_up::{SLOTS, apply, machine_config, machine_name, serve};
use crate::context::data_folder;
use crate::up;

/// Runs a node until a signal.
pub(super) async fn up(args: NodeUpArgs, nats: NatsOptions) -> Result<()> {
    if args.wants_telemetry() {
        tracing::warn!("flags of metrics and traces are ignored");
    }
    let options = options(args, nats)?;
    options.check()?;
    serve(options).await
}

fn options(args: NodeUpArgs, nats: NatsOptions) -> Result<NodeOptions> {
    let config = machine_config(&args.config)?;
    let data = args
        .data
        .map_or_else(|| Ok(data_folder()?.join("node")), anyhow::Ok)?;
    let agent = up::agent(args.programs.agent.as_deref())?;
    let name = config.name().map_or_else(machine_name, Ok)?;
    let mut options = NodeOptions::new(name, data, nats.url.clone(), agent);
    options.nats = nats;
    options.slots.nats_server = up::nats_server(args.programs.nats_server.as_deref())?;
    options.slots.pool.max = SLOTS;
    apply(&config, true, &mut options);
    Ok(options)
}
