//! `hostler up`: a whole fleet in one process tree.
//!
//! This process is only the supervisor. Its children are the NATS server, the
//! control plane and a node; each is started again when it dies, none takes
//! another with it. They start side by side and wait for each other. The first
//! signal stops them: the node first with all its work, then the control
//! plane, then the machines it has started, then NATS; nothing but the data
//! folder is left.

mod admission;
mod children;
mod layout;
mod machines;
mod nats;
mod programs;
mod reach;

pub(crate) use programs::{agent, nats_server};

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hostler_daemon::{secret, signals};
use hostler_wire::client::ControlClient;

use crate::args::UpArgs;
use crate::context::{Context, Contexts, LOCAL, data_folder};
use crate::output::Output;
use children::{Children, Fleet};
use layout::Layout;

/// How long the parts may take to be there.
const START: Duration = Duration::from_mins(1);

/// Starts the fleet and stays until a signal.
pub(crate) async fn up(args: UpArgs, logging: Vec<String>, output: Output) -> Result<()> {
    let fleet = prepare(args, logging)?;
    let _lock = fleet.layout.lock()?;
    free(&fleet)?;
    let stop = signals::stop_token()?;
    let mut children = Children::start(&fleet)?;
    let started = stop
        .run_until_cancelled(start(&fleet, &mut children, output))
        .await;
    if let Some(Ok(())) = started {
        stop.cancelled().await;
    }
    output.remark("Stopping.");
    children.stop().await;
    started.unwrap_or(Ok(()))?;
    output.remark(format!(
        "Stopped. The data stays in {}.",
        fleet.layout.data.display()
    ));
    Ok(())
}

/// Everything that can be wrong is found here, before anything is started.
fn prepare(args: UpArgs, logging: Vec<String>) -> Result<Fleet> {
    let data = args.api.data.clone().map_or_else(data_folder, Ok)?;
    let nats_server = nats_server(args.programs.nats_server.as_deref())?;
    let agent = agent(args.programs.agent.as_deref())?;
    let layout = Layout::create(&data)?;
    let nats_listen = match (args.nats_listen, args.nats_port) {
        (Some(listen), _) => listen,
        (None, Some(port)) => (Ipv4Addr::LOCALHOST, port).into(),
        (None, None) => (Ipv4Addr::LOCALHOST, layout.port("nats", 4_222)?).into(),
    };
    let nats = nats::prepare(&layout, nats_listen)?;
    let (token, is_new) =
        secret::load_or_make(&layout.secret("admin.token"), secret::random_secret)?;
    let mut fleet = Fleet {
        args,
        logging,
        layout,
        nats_server,
        agent,
        nats,
        token,
        is_new,
        runners_file: None,
    };
    fleet.runners_file = machines::configure(&fleet)?;
    Ok(fleet)
}

/// A child of an earlier life is ended later; anybody else on the port is an error now.
fn free(fleet: &Fleet) -> Result<()> {
    let earlier = hostler_daemon::process::ProcessId::read(&fleet.layout.run("control.pid"));
    match std::net::TcpListener::bind(fleet.args.api.listen) {
        Err(error) if earlier.is_none() => {
            let listen = fleet.args.api.listen;
            Err(error).with_context(|| format!("{listen} is taken; choose another with --listen"))
        }
        _ => Ok(()),
    }
}

async fn start(fleet: &Fleet, children: &mut Children, output: Output) -> Result<()> {
    let client = ControlClient::new(&fleet.url(), &fleet.token)?;
    let progress = output.progress("Starting the control plane".to_owned());
    within(START, "the control plane did not answer", || async {
        client.health().await.is_ok()
    })
    .await?;
    if !fleet.is_joined() {
        join(fleet, &client).await?;
        children.start_node(fleet);
    }
    progress.say("Starting the node".to_owned());
    within(START, "the node did not come online", || is_online(&client)).await?;
    drop(progress);
    let file = keep_context(fleet)?;
    announce(fleet, &file);
    Ok(())
}

/// A node needs this once in its life.
async fn join(fleet: &Fleet, client: &ControlClient) -> Result<()> {
    let file = fleet.layout.secret("join.token");
    let made = client
        .join_token_create(&hostler_wire::rest::JoinTokenCreate::default())
        .await?;
    secret::write(&file, made.secret.as_bytes()).context("could not keep the join token")
}

async fn is_online(client: &ControlClient) -> bool {
    let nodes = client.nodes().await.unwrap_or_default();
    nodes
        .iter()
        .any(|node| node.status == hostler_core::node::NodeStatus::Online)
}

async fn within<F, Fut>(limit: Duration, problem: &str, mut is_so: F) -> Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(limit, waiting).await.is_err() {
        bail!("{problem} within {} s", limit.as_secs());
    }
    Ok(())
}

fn keep_context(fleet: &Fleet) -> Result<std::path::PathBuf> {
    let mut contexts = Contexts::load()?;
    let context = Context {
        url: fleet.url(),
        token: fleet.token.clone(),
        nats: Some(fleet.nats.url.clone()),
        nats_seed: Some(nats::seed_file(&fleet.layout, "cli")),
        workload_nats: Some(fleet.nats.workload_url.clone()),
    };
    contexts.contexts.insert(LOCAL.to_owned(), context);
    contexts.current.get_or_insert_with(|| LOCAL.to_owned());
    contexts.save()
}

fn announce(fleet: &Fleet, context_file: &std::path::Path) {
    let url = fleet.url();
    println!("The fleet is up.");
    println!("  API      {url}");
    println!("  OpenAPI  {url}/docs");
    println!("  NATS     {}", fleet.nats.url);
    println!("  Data     {}", fleet.layout.data.display());
    if fleet.is_new {
        println!("  Token    {}", fleet.token);
        println!(
            "           shown once; kept for the CLI in {}",
            context_file.display()
        );
    }
    println!("Try: hostler node ls. Stop: Ctrl-C.");
}
