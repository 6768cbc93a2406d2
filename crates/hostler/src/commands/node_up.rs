//! `hostler node up`: from flags to options, then the node until a signal.

use anyhow::{Context as _, Result};
use hostler_daemon::config::Mistakes;
use hostler_daemon::signals;
use hostler_node::hypervisor::{DriverChoice, Fake};
use hostler_node::{AtStop, ControlOptions, JoinToken, NatsLogin, NodeOptions};

use crate::args::NodeUpArgs;
use crate::context::data_folder;
use crate::up;

/// Runs a node until a signal.
pub(crate) async fn node_up(args: NodeUpArgs) -> Result<()> {
    let options = options(args)?;
    options.check()?;
    let stop = signals::stop_token()?;
    let starting = hostler_node::start(options);
    let Some(started) = stop.run_until_cancelled(starting).await else {
        return Ok(());
    };
    let (service, _handle) = started?;
    service.run(stop).await;
    Ok(())
}

fn options(args: NodeUpArgs) -> Result<NodeOptions> {
    let mut mistakes = Mistakes::default();
    let driver = mistakes.take("--driver", driver(&args.driver));
    mistakes.check()?;
    let data = args
        .data
        .map_or_else(|| Ok(data_folder()?.join("node")), anyhow::Ok)?;
    let agent = up::agent(args.agent.as_deref())?;
    let name = args.name.map_or_else(machine_name, Ok)?;
    let mut options = NodeOptions::new(name, data, args.nats, agent);
    options.listen = args.listen;
    options.advertise = args.hostname;
    options.labels = args.labels.into_iter().collect();
    options.slots.nats_server = up::nats_server(args.nats_server.as_deref())?;
    options.slots.driver = driver.unwrap_or_default();
    options.slots.pool.warm = args.warm;
    options.slots.pool.max = args.slots;
    options.nats.login = args.nats_seed.map_or(NatsLogin::None, NatsLogin::NkeyFile);
    options.at_stop = if args.stop_work {
        AtStop::Ends
    } else {
        AtStop::RunsOn
    };
    let file = args.join_token_file.map(JoinToken::File);
    let join = args.join_token.map(JoinToken::Text).or(file);
    options.control = args.control.map(|url| ControlOptions { url, join });
    Ok(options)
}

fn driver(word: &str) -> Result<DriverChoice, String> {
    match word {
        "best" => Ok(DriverChoice::Best),
        "process" => Ok(DriverChoice::Process),
        "fake" => Ok(DriverChoice::Fake(Fake::default())),
        _ => Err(format!("'{word}' is none of best, process, fake")),
    }
}

/// The machine's host name, as far as it can be the name of a node.
fn machine_name() -> Result<String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let short = host.trim().split('.').next().unwrap_or_default();
    let is_fine = short.parse::<hostler_core::Name>().is_ok();
    is_fine
        .then(|| short.to_owned())
        .context("this machine's name is no name for a node; give --name")
}
