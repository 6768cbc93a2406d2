//! A fleet made by `hostler up` in a folder of its own, as a newcomer has it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_daemon::port;
use hostler_daemon::process::ProcessId;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{Workload, WorkloadCreate};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{eventually, processes, programs};

/// A running fleet; everything of it dies when it is dropped.
pub struct Fleet {
    folder: TempDir,
    listen: SocketAddr,
    nats: SocketAddr,
    up: Option<Child>,
    flags: Vec<String>,
    heartbeat_ms: u64,
}

/// Heartbeats of stories, so that nothing takes long.
const HEARTBEAT_MS: u64 = 500;

impl Fleet {
    /// A folder for one, and nothing running yet.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("hostler-e2e-").tempdir()?;
        Ok(Self {
            folder,
            listen: free_address()?,
            nats: free_address()?,
            up: None,
            flags: Vec::new(),
            heartbeat_ms: HEARTBEAT_MS,
        })
    }

    /// Has it started with further flags.
    pub fn flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
    }

    /// Has its nodes heard so often: a node that is held up for four of these
    /// stops its work.
    pub fn heartbeat_ms(&mut self, ms: u64) {
        self.heartbeat_ms = ms;
    }

    /// Starts one and waits until it says that it is up.
    pub async fn up() -> Result<Self> {
        let mut fleet = Self::new()?;
        fleet.start().await?;
        Ok(fleet)
    }

    /// Starts it, perhaps again, and waits until it says that it is up.
    pub async fn start(&mut self) -> Result<()> {
        self.spawn()?;
        self.wait_until_up().await
    }

    /// Starts it.
    pub fn spawn(&mut self) -> Result<()> {
        let child = self
            .command(&["up"])?
            .args(["--listen", &self.listen.to_string()])
            .args(["--nats-port", &self.nats.port().to_string()])
            .args(["--heartbeat-ms", &self.heartbeat_ms.to_string()])
            .args(&self.flags)
            .stdout(Stdio::piped())
            .stderr(self.log()?)
            .spawn()?;
        self.up = Some(child);
        Ok(())
    }

    /// Reads what it says until it says that it is up.
    pub async fn wait_until_up(&mut self) -> Result<()> {
        let child = self.up.as_mut().context("it was started")?;
        let output = child.stdout.take().context("its output is ours")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            if line.starts_with("Try:") {
                return Ok(());
            }
        }
        bail!("the fleet did not come up: {}", self.said())
    }

    fn log(&self) -> Result<std::fs::File> {
        let path = self.folder.path().join("up.log");
        Ok(std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?)
    }

    /// What its daemons have logged.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("up.log")).unwrap_or_default()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its own folder, for files of the story.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program, with this fleet's folders in its environment.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(programs::binary("hostler")?);
        command
            .args(words)
            .env("HOSTLER_DATA", self.data())
            .env("HOSTLER_CONFIG", self.folder.path().join("config"))
            .env_remove("HOSTLER_CONTEXT")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a command for people to its end.
    pub async fn cli(&self, words: &[&str]) -> Result<Output> {
        Ok(self.command(words)?.output().await?)
    }

    /// The same, which must succeed; what it printed.
    pub async fn say(&self, words: &[&str]) -> Result<String> {
        let output = self.cli(words).await?;
        if !output.status.success() {
            bail!(
                "hostler {}: {}",
                words.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The admin's token.
    pub fn token(&self) -> Result<String> {
        let path = self.data().join("secrets").join("admin.token");
        Ok(std::fs::read_to_string(path)?.trim().to_owned())
    }

    /// A client with the admin's token.
    pub fn client(&self) -> Result<ControlClient> {
        Ok(ControlClient::new(&self.url(), &self.token()?)?)
    }

    /// Where the control NATS listens.
    pub fn nats_url(&self) -> String {
        format!("nats://{}", self.nats)
    }

    /// Where the API answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Uploads a file and creates a workload of it; `change` fills the body.
    pub async fn create(
        &self,
        name: &str,
        kind: Kind,
        bytes: Vec<u8>,
        change: impl FnOnce(&mut WorkloadCreate),
    ) -> Result<Workload> {
        let client = self.client()?;
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
        client
            .artifact_put(&digest, "default", bytes.into())
            .await?;
        let mut body = body(name, kind, &digest);
        change(&mut body);
        Ok(client
            .workload_create(&body, &uuid::Uuid::now_v7().to_string())
            .await?)
    }

    /// Waits until a workload has this status.
    pub async fn wait_for(&self, workload: &Workload, status: WorkloadStatus) -> Result<Workload> {
        let client = self.client()?;
        let what = format!("{} becomes {status:?}", workload.name);
        eventually(&what, || async {
            let now = client.workload(workload.id).await.ok()?;
            (now.status == status).then_some(now)
        })
        .await
        .with_context(|| self.said())
    }

    /// The present process of a part: `control`, `node`, `nats`.
    pub fn part(&self, name: &str) -> Option<ProcessId> {
        ProcessId::read(&self.data().join("run").join(format!("{name}.pid")))
    }

    /// The node's inner `nats-server`.
    pub fn inner(&self) -> Option<ProcessId> {
        let is_inner = |found: &processes::Found| {
            found.command.contains("nats-server") && found.command.contains("/node/")
        };
        processes::below(&self.data())
            .into_iter()
            .find(is_inner)
            .map(|found| found.id)
    }

    /// SIGKILL of the supervisor alone: all else lives on.
    pub async fn kill_up(&mut self) -> Result<()> {
        let mut child = self.up.take().context("it runs")?;
        child.kill().await.context("it could not be killed")
    }

    /// Ctrl-C, and everything it leaves behind.
    pub async fn interrupt(&mut self) -> Result<Vec<processes::Found>> {
        let mut child = self.up.take().context("it runs")?;
        let id = child.id().and_then(|pid| ProcessId::of(pid.cast_signed()));
        id.context("it lives")?
            .signal(hostler_daemon::process::Signal::INT);
        let status = tokio::time::timeout(Duration::from_mins(1), child.wait()).await??;
        if !status.success() {
            bail!("it ended with {status}: {}", self.said());
        }
        Ok(processes::below(&self.data()))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // Supervisors first, or they start again what is killed.
        self.up.take().map(|mut child| child.start_kill());
        for _ in 0..2 {
            for found in processes::below(self.folder.path()) {
                found.id.signal(hostler_daemon::process::Signal::KILL);
            }
        }
    }
}

/// The smallest body.
pub fn body(name: &str, kind: Kind, digest: &str) -> WorkloadCreate {
    WorkloadCreate {
        name: name.to_owned(),
        project: None,
        kind,
        artifact: digest.to_owned(),
        argv: Vec::new(),
        environment: std::collections::BTreeMap::new(),
        triggers: Vec::new(),
        essential: false,
        resources: None,
        pids: None,
        labels: std::collections::BTreeMap::new(),
        placement: hostler_wire::rest::PlacementRules::default(),
        on_node_loss: hostler_core::workload::OnNodeLoss::Restart,
        goal: None,
        description: String::new(),
    }
}

/// An address of loopback that is free now.
pub fn free_address() -> Result<SocketAddr> {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ok(SocketAddr::new(here, port::free(here)?))
}
