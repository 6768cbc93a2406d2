//! The API server, in a process of its own.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_kubernetes::connect::connect;
use hostler_kubesim::{Cluster, Effect, Fault, Options, Pool, Timings};
use kube::Client;

/// How long a create takes where it is slow: the median that a real control
/// plane of two cores showed.
const CREATE: Duration = Duration::from_millis(50);
/// The most nodes it gives.
pub(crate) const NODES: usize = 1_500;

/// Serves until standard input ends. With the argument `empty`, it has no pool;
/// with `slow`, a pod takes as long to create as elsewhere.
pub(crate) async fn api_server() -> Result<()> {
    let max = if std::env::args().any(|argument| argument == "empty") {
        0
    } else {
        NODES
    };
    let pool = Pool {
        boot: Some(Duration::ZERO),
        ready: Some(Duration::ZERO),
        ..Pool::runners(max)
    };
    let timings = Timings::instant();
    let is_slow = std::env::args().any(|argument| argument == "slow");
    let cluster = Cluster::start(Options {
        pools: vec![pool],
        timings,
        ..Options::default()
    })
    .await?;
    if is_slow {
        let slow = Fault::new(Effect::Slow(CREATE)).verb("create");
        cluster.fault(slow.resource("pods"));
    }
    println!("{}", cluster.kubeconfig("admin", "default"));
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    drop(cluster);
    Ok(())
}

/// An API server in a process of its own, and its kubeconfig.
pub(crate) struct Server(Child, tempfile::NamedTempFile);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("api-server")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("an output")?;
        std::io::BufReader::new(output).read_line(&mut line)?;
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), line)?;
        Ok(Self(child, file))
    }

    pub(crate) async fn client(&self) -> Result<Client> {
        Ok(connect(Some(self.1.path())).await?)
    }
}
