//! `hostler node up`: from flags to options, then the node until a signal.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context as _, Result};
use hostler_core::{Bytes, Cpu, Resources};
use hostler_daemon::config::Mistakes;
use hostler_daemon::signals;
use hostler_node::hypervisor::{DriverChoice, Fake};
use hostler_node::{AtStop, ControlOptions, JoinToken, NatsLogin, NodeOptions, ServiceOptions};
use tokio_util::sync::CancellationToken;

use super::near::address_towards;
use super::node_vms;
use crate::args::{NodeUpArgs, ServiceArgs};
use crate::context::data_folder;
use crate::up;

/// Runs a node until a signal.
pub(crate) async fn node_up(args: NodeUpArgs) -> Result<()> {
    let vm_args = args.machines.clone();
    let mut options = options(args)?;
    options.check()?;
    let stop = signals::stop_token()?;
    let holding = node_vms::held(&vm_args, &options.data);
    let Some(held) = stop.run_until_cancelled(holding).await else {
        return Ok(());
    };
    let mut held = held?;
    options.vms = held.options.take();
    options.tags.append(&mut held.tags);
    let ended = run(options, stop).await;
    held.end().await;
    ended
}

async fn run(options: NodeOptions, stop: CancellationToken) -> Result<()> {
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
    let agent = up::agent(args.programs.agent.as_deref())?;
    let name = args.name.map_or_else(machine_name, Ok)?;
    let listen = match args.listen {
        Some(given) => given,
        None => usual_listen(args.control.as_deref(), &data),
    };
    let login = match (args.nats_seed, &args.nats, &args.control) {
        (Some(seed), _, _) => NatsLogin::NkeyFile(seed),
        (None, None, Some(_)) => NatsLogin::OfFleet,
        (None, _, _) => NatsLogin::None,
    };
    let nats = args.nats.unwrap_or_else(|| USUAL_NATS.to_owned());
    let mut options = NodeOptions::new(name, data, nats, agent);
    options.listen = listen;
    options.advertise = args.hostname;
    options.capacity = capacity(args.cpus, args.memory);
    options.labels = args.labels.into_iter().collect();
    options.slots.nats_server = up::nats_server(args.programs.nats_server.as_deref())?;
    options.slots.driver = driver.unwrap_or_default();
    options.slots.pool.warm = args.warm;
    options.slots.pool.max = args.slots;
    options.nats.login = login;
    options.at_stop = if args.stop_work {
        AtStop::Ends
    } else {
        AtStop::RunsOn
    };
    let file = args.join_token_file.map(JoinToken::File);
    let join = args.join_token.map(JoinToken::Text).or(file);
    options.services = services(args.services)?;
    options.control = args.control.map(|url| ControlOptions { url, join });
    Ok(options)
}

/// What was not said is all that the machine has.
fn capacity(cpus: Option<Cpu>, memory: Option<Bytes>) -> Option<Resources> {
    let whole = hostler_node::capacity();
    let said = cpus.is_some() || memory.is_some();
    said.then(|| Resources {
        cpu: cpus.unwrap_or(whole.cpu),
        memory: memory.unwrap_or(whole.memory),
    })
}

fn services(args: ServiceArgs) -> Result<ServiceOptions> {
    let mut names = args.host_services;
    names.retain(|name| name != "none");
    let mut options = ServiceOptions::only(&names).map_err(anyhow::Error::msg)?;
    if let Some(http) = &mut options.http {
        http.addresses.allow = args.http_allow;
        http.addresses.deny = args.http_deny;
        http.hosts = args.http_host;
    }
    Ok(options)
}

const USUAL_NATS: &str = "nats://127.0.0.1:4222";
const USUAL_PORT: u16 = 3_011;

/// The address from which this machine speaks to its control plane, which is
/// the one by which that reaches it; loopback, if both are on one machine. A
/// node that has joined listens on the port it told then.
fn usual_listen(control: Option<&str>, data: &Path) -> SocketAddr {
    let near = control.and_then(address_towards);
    let ip = near.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let has_joined = data.join(hostler_node::REGISTRATION_FILE).exists();
    let is_free = |port| TcpListener::bind((ip, port)).is_ok();
    let port = if !has_joined && is_free(USUAL_PORT) {
        USUAL_PORT
    } else {
        0
    };
    SocketAddr::new(ip, port)
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
