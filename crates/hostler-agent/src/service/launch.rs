//! Starting a service: the agent's half of what [`super::exec`] does.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
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
    /// The agent's pid.
    pub(crate) agent: i32,
    /// Where it runs, and all it may write.
    pub(crate) work: PathBuf,
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

/// Starts it; returns when the program has taken the process over.
pub(super) async fn launch(launch: &Launch, reaper: &Reaper) -> Result<Started, StartError> {
    let told = serde_json::to_vec(launch).map_err(io::Error::from)?;
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut ours = UnixStream::from_std(ours)?;
    let mut child = spawn(launch, theirs)?;
    let pid = Pid::from_child(&child);
    let exit = reaper.awaits(pid);
    let stdout = receiver(child.stdout.take().map(OwnedFd::from));
    let stderr = receiver(child.stderr.take().map(OwnedFd::from));
    let talk = async {
        let mut why = String::new();
        ours.write_all(&told).await?;
        ours.shutdown().await?;
        ours.read_to_string(&mut why).await?;
        Ok::<_, io::Error>(why)
    };
    let refused = match tokio::time::timeout(PATIENCE, talk).await {
        Ok(Ok(why)) if why.is_empty() => None,
        Ok(Ok(why)) => Some(StartError::Refused(why)),
        Ok(Err(error)) => Some(StartError::Spawn(error)),
        Err(_) => Some(StartError::TimedOut),
    };
    match (refused, stdout, stderr) {
        (None, Ok(stdout), Ok(stderr)) => Ok(Started {
            pid,
            exit,
            stdout,
            stderr,
        }),
        (refused, stdout, stderr) => {
            // Dead already, or of no use; its status is taken by the reaper.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            let _ = exit.await;
            Err(refused
                .or(stdout.err().map(StartError::Spawn))
                .or(stderr.err().map(StartError::Spawn))
                .unwrap_or(StartError::TimedOut))
        }
    }
}

fn spawn(launch: &Launch, talk: StdStream) -> io::Result<Child> {
    Command::new(SELF)
        .arg(EXEC_CHILD)
        .env_clear()
        .current_dir(&launch.work)
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
