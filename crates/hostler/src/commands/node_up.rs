//! `hostler node up`: from flags to options, then the node until a signal.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context as _, Result};
use hostler_core::{Bytes, Cpu, Resources};
use hostler_daemon::config::Mistakes;
use hostler_daemon::signals;
use hostler_node::hypervisor::{DriverChoice, Fake, QemuOptions};
use hostler_node::{AtStop, ControlOptions, JoinToken, NatsLogin, NodeOptions, ServiceOptions};
use hostler_node::{MachineConfig, Remark, Weight};
use tokio_util::sync::CancellationToken;

use super::near::address_towards;
use super::node_vms;
use crate::args::{MicrovmArgs, NodeUpArgs, ServiceArgs};
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

/// Runs a node with these settings, without VMs, until a signal.
pub(crate) async fn serve(options: NodeOptions) -> Result<()> {
    run(options, signals::stop_token()?).await
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
    let data = args
        .data
        .map_or_else(|| Ok(data_folder()?.join("node")), anyhow::Ok)?;
    let driver = driver(&args.driver, qemu(args.microvms, &data));
    let driver = mistakes.take("--driver", driver);
    mistakes.check()?;
    let agent = up::agent(args.programs.agent.as_deref())?;
    let config = args.config.as_deref().map(machine_config).transpose()?;
    let config = config.unwrap_or_default();
    let name = args.name.or_else(|| config.name());
    let name = name.map_or_else(machine_name, Ok)?;
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
    options.slots.pool.max = SLOTS;
    apply(&config, args.config.is_some(), &mut options);
    let pool = &mut options.slots.pool;
    pool.warm = args.warm.unwrap_or(pool.warm);
    pool.max = args.slots.unwrap_or(pool.max);
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

/// How many workloads a node holds that was told nothing.
pub(crate) const SLOTS: u32 = 64;

/// What a file of the original says. What of it is not followed is told.
pub(crate) fn machine_config(path: &Path) -> Result<MachineConfig> {
    let (config, remarks) = MachineConfig::load(path)?;
    remarks.iter().for_each(tell);
    Ok(config)
}

/// Puts what a file said into the settings.
pub(crate) fn apply(config: &MachineConfig, is_there: bool, options: &mut NodeOptions) {
    if is_there {
        config.apply(options).iter().for_each(tell);
    }
}

fn tell(remark: &Remark) {
    match remark.weight {
        Weight::Note => tracing::info!("configuration: {remark}"),
        Weight::Unknown => tracing::warn!("configuration: {remark}"),
        Weight::Guard => tracing::warn!("configuration, which matters for safety: {remark}"),
    }
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

fn driver(word: &str, qemu: QemuOptions) -> Result<DriverChoice, String> {
    match word {
        "best" => Ok(DriverChoice::best(qemu)),
        "process" => Ok(DriverChoice::Process),
        "qemu" => Ok(DriverChoice::Qemu(qemu)),
        "fake" => Ok(DriverChoice::Fake(Fake::default())),
        _ => Err(format!("'{word}' is none of best, qemu, process, fake")),
    }
}

fn qemu(args: MicrovmArgs, data: &Path) -> QemuOptions {
    let rootfs = args.rootfs.unwrap_or_else(|| data.join("rootfs"));
    QemuOptions {
        memory: args.microvm_memory,
        cpus: args.microvm_cpus,
        ..QemuOptions::new(rootfs)
    }
}

/// The machine's host name, as far as it can be the name of a node.
pub(crate) fn machine_name() -> Result<String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let short = host.trim().split('.').next().unwrap_or_default();
    let is_fine = short.parse::<hostler_core::Name>().is_ok();
    is_fine
        .then(|| short.to_owned())
        .context("this machine's name is no name for a node; give --name")
}
