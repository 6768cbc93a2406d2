//! `hostler-machines`: a node's driver of VMs, in a process of its own. Started by
//! `hostler node up` and by nobody else: its standard input is one end of a pair of
//! sockets, over which it is asked and answers. It ends when that closes. The
//! machines it has started run on.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use hostler_daemon::telemetry::{self, LogFormat};
use hostler_libvirt::{Libvirt, LibvirtOptions, Settings};
use hostler_node::hypervisor::machines::helper;
use tokio::net::UnixStream;

/// How long libvirt may take to answer for the first time.
const GREETING: Duration = Duration::from_secs(10);

/// A node's driver of VMs through libvirt; started by `hostler node up`
#[derive(Debug, Parser)]
#[command(name = "hostler-machines", version)]
struct Args {
    /// Where the files of machines are
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// By what this node's machines are told from those of others
    #[arg(long, value_name = "TEXT")]
    owner: String,
    /// What is not as usual, as TOML
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    telemetry::start("info", LogFormat::Text);
    let ended = tokio::runtime::Runtime::new()
        .context("no runtime")
        .map(|runtime| {
            let ended = runtime.block_on(run(args));
            // A call of libvirt may hang; nobody waits for it any more.
            runtime.shutdown_background();
            ended
        });
    match ended.and_then(|ended| ended) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let line = line().context("its standard input is no socket: `hostler node up` starts it")?;
    let mut options = LibvirtOptions::new(args.folder, args.owner);
    if let Some(path) = &args.settings {
        Settings::read(path)?.apply(&mut options);
    }
    let uri = options.uri.clone();
    let driver = Libvirt::new(options).context("could not make the folder for the disks of VMs")?;
    let greeted = tokio::time::timeout(GREETING, driver.greet()).await;
    let away = match greeted {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("libvirt at {uri} does not answer: {error}")),
        Err(_) => Some(format!("libvirt at {uri} did not answer for {GREETING:?}")),
    };
    Ok(helper::serve(line, Arc::new(driver), away).await?)
}

/// A copy of it, which no child inherits.
fn line() -> std::io::Result<UnixStream> {
    let copy = std::io::stdin().as_fd().try_clone_to_owned()?;
    let stream = std::os::unix::net::UnixStream::from(copy);
    stream.peer_addr()?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}
