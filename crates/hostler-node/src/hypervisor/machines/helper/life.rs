//! The lives of the driver's process: each is a child with one end of a pair of
//! sockets as its standard input. It ends when that closes, so it never outlives
//! its node; the machines that it started outlive both.
//!
//! Begun, says hello in time, answers; then it ended, or was ended because it
//! spoke nonsense or nothing. There is another after a pause, which grows while
//! lives are short.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hostler_daemon::backoff::Backoff;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::words::Hello;
use super::{Shared, State};

/// How the process is started.
#[derive(Clone, Debug)]
pub struct HelperOptions {
    /// The program.
    pub program: PathBuf,
    /// What it is told.
    pub arguments: Vec<OsString>,
    /// How long it may take to say hello.
    pub hello_within: Duration,
}

/// One that lived this long was healthy: the next begins soon.
const HEALTHY: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// From the end of its line to its end by force.
const GRACE: Duration = Duration::from_secs(2);
/// The status with which a program ends whose libraries are not there.
const NO_LIBRARIES: i32 = 127;

/// Has a process there until `stop`.
pub(super) async fn keep(shared: Arc<Shared>, options: HelperOptions, stop: CancellationToken) {
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut said = String::new();
    while !stop.is_cancelled() {
        let began = Instant::now();
        let why = match live(&shared, &options, &stop).await {
            Ok(why) => why,
            Err(error) => format!("{} does not start: {error}", options.program.display()),
        };
        shared.desk.end(&why);
        if !stop.is_cancelled() && why != said {
            tracing::warn!(%why, "no driver of VMs; VMs run on");
            said.clone_from(&why);
        }
        shared.state.send_replace(State::Away(why));
        if began.elapsed() >= HEALTHY {
            pauses.reset();
            said.clear();
        }
        let pause = tokio::time::sleep(pauses.pause());
        stop.run_until_cancelled(pause).await;
    }
}

/// One life; why it ended.
async fn live(
    shared: &Shared,
    options: &HelperOptions,
    stop: &CancellationToken,
) -> io::Result<String> {
    let (mut child, stream) = spawn(options)?;
    let begun = |hello: Hello| drop(shared.state.send_replace(State::of(hello)));
    let why = tokio::select! {
        biased;
        () = stop.cancelled() => "the driver of VMs was stopped".to_owned(),
        why = shared.desk.keep(stream, options.hello_within, begun) => why,
        // Perhaps somebody else holds its end of the line.
        _ = child.wait() => "the driver of VMs has ended".to_owned(),
    };
    shared.desk.end(&why);
    Ok(match end(&mut child).await {
        Some(status) if status.code() == Some(NO_LIBRARIES) => {
            "the driver of VMs lacks its libraries: install libvirt0".to_owned()
        }
        Some(status) if !status.success() => format!("{why}: {status}"),
        _ => why,
    })
}

fn spawn(options: &HelperOptions) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let child = Command::new(&options.program)
        .args(&options.arguments)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        // A Ctrl-C on the terminal is for the node, which ends it in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, UnixStream::from_std(ours)?))
}

/// Its line is closed: it ends by itself, or is made to.
async fn end(child: &mut Child) -> Option<ExitStatus> {
    if let Ok(ended) = tokio::time::timeout(GRACE, child.wait()).await {
        return ended.ok();
    }
    child.kill().await.ok();
    None
}
