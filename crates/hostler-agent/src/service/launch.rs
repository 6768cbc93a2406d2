//! Starting a service: the agent's half of what [`super::exec`] does.
//!
//! The process is made and confines itself while the artifact is still on its
//! way, and is told what to become when that is here. One that is never told
//! is killed.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

use super::exec::EXEC_CHILD;
use super::reaper::Reaper;

/// The agent's own program, also when its file was replaced.
const SELF: &str = "/proc/self/exe";

/// How long becoming a program may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a process is told to become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// The program's file.
    pub(crate) program: PathBuf,
    /// Its name, `argv[0]`.
    pub(crate) name: String,
    /// The arguments after that.
    pub(crate) argv: Vec<String>,
    /// Its whole environment.
    pub(crate) environment: BTreeMap<String, String>,
}

/// A service did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// No process could be made.
    #[error("could not make a process: {0}")]
    Spawn(#[from] io::Error),
    /// The process said why it did not become the program.
    #[error("{0}")]
    Refused(String),
    /// It said nothing for too long.
    #[error("the program did not start in {PATIENCE:?}")]
    TimedOut,
}

/// A program that runs.
pub(super) struct Started {
    pub(super) pid: Pid,
    pub(super) exit: oneshot::Receiver<i32>,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
}

/// A process that waits to become a program.
pub(crate) struct Blank {
    agent: UnixStream,
    pid: Pid,
    exit: oneshot::Receiver<i32>,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    guard: Guard,
}

/// Kills what it guards, unless it is let go. The reaper takes the status.
struct Guard(Option<Pid>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // Dead already, or of no use.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

impl Blank {
    /// Makes a process whose work folder this is. Main thread only.
    pub(crate) fn spawn(work: &Path, reaper: &Reaper) -> io::Result<Self> {
        let (ours, theirs) = StdStream::pair()?;
        ours.set_nonblocking(true)?;
        let agent = UnixStream::from_std(ours)?;
        let mut child = spawn(work, theirs)?;
        let pid = Pid::from_child(&child);
        let (exit, guard) = (reaper.awaits(pid), Guard(Some(pid)));
        Ok(Self {
            agent,
            pid,
            exit,
            stdout: receiver(child.stdout.take().map(OwnedFd::from))?,
            stderr: receiver(child.stderr.take().map(OwnedFd::from))?,
            guard,
        })
    }

    /// Has it become a program; returns when that has taken it over.
    pub(super) async fn launch(mut self, launch: &Launch) -> Result<Started, StartError> {
        let told = serde_json::to_vec(launch).map_err(io::Error::from)?;
        let talk = tokio::time::timeout(PATIENCE, talk(&mut self.agent, &told));
        let why = talk.await.map_err(|_| StartError::TimedOut)??;
        if !why.is_empty() {
            return Err(StartError::Refused(why));
        }
        self.guard.0 = None;
        Ok(Started {
            pid: self.pid,
            exit: self.exit,
            stdout: self.stdout,
            stderr: self.stderr,
        })
    }
}

/// Tells it what to become; why it did not, or nothing.
async fn talk(process: &mut UnixStream, told: &[u8]) -> io::Result<String> {
    let mut why = String::new();
    // One that could not confine itself reads no more, but says why.
    let written = process.write_all(told).await;
    let closed = process.shutdown().await;
    process.read_to_string(&mut why).await?;
    if why.is_empty() {
        written.and(closed)?;
    }
    Ok(why)
}

fn spawn(work: &Path, talk: StdStream) -> io::Result<Child> {
    let agent = rustix::process::getpid().as_raw_nonzero();
    Command::new(SELF)
        .args([EXEC_CHILD, &agent.to_string()])
        .env_clear()
        .current_dir(work)
        .stdin(OwnedFd::from(talk))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

fn receiver(end: Option<OwnedFd>) -> io::Result<pipe::Receiver> {
    let end = end.ok_or_else(|| io::Error::other("a pipe is missing"))?;
    pipe::Receiver::from_owned_fd(end)
}
