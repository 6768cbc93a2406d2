//! A child program that is started again when it dies.
//!
//! Each child leaves its identity in a file, so that the next life of the
//! parent finds and ends a child that outlived the last one before it starts
//! its own: two never share a port or a data folder. A child is ended by
//! SIGTERM, and by SIGKILL when it takes longer than its grace.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::process::ProcessId;

/// How to start and look after a child.
pub struct ChildOptions {
    /// What it is called in logs.
    pub name: &'static str,
    /// Makes the command for one start.
    pub command: Box<dyn Fn() -> Command + Send + Sync>,
    /// Where its identity is kept while it lives.
    pub pid_file: PathBuf,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
}

/// A child that ran this long was healthy; its next restart is quick again.
const HEALTHY: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Keeps the child running until `stop`, then ends it.
pub async fn run(options: ChildOptions, stop: CancellationToken) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    end_earlier_life(&options).await;
    while !stop.is_cancelled() {
        let started = Instant::now();
        match (options.command)().spawn() {
            Ok(child) => live(&options, child, &stop).await,
            Err(error) => tracing::error!(child = options.name, %error, "could not start"),
        }
        if started.elapsed() >= HEALTHY {
            backoff.reset();
        }
        let _ = stop
            .run_until_cancelled(tokio::time::sleep(backoff.pause()))
            .await;
    }
}

async fn end_earlier_life(options: &ChildOptions) {
    if let Some(earlier) = ProcessId::read(&options.pid_file) {
        tracing::warn!(
            child = options.name,
            pid = earlier.pid,
            "ending one left by an earlier life"
        );
        earlier.end(options.grace).await;
    }
}

async fn live(options: &ChildOptions, mut child: Child, stop: &CancellationToken) {
    let id = child.id().and_then(|pid| ProcessId::of(pid.cast_signed()));
    if let Some(Err(error)) = id.map(|id| id.write(&options.pid_file)) {
        tracing::warn!(child = options.name, %error, "could not note its pid");
    }
    tokio::select! {
        status = child.wait() => report(options.name, status),
        () = stop.cancelled() => end(options, child, id).await,
    }
    let _ = std::fs::remove_file(&options.pid_file);
}

async fn end(options: &ChildOptions, mut child: Child, id: Option<ProcessId>) {
    let Some(id) = id else { return };
    let (_, ()) = tokio::join!(child.wait(), id.end(options.grace));
}

fn report(name: &str, status: std::io::Result<std::process::ExitStatus>) {
    match status {
        Ok(status) => tracing::warn!(child = name, %status, "ended by itself; starting it again"),
        Err(error) => tracing::error!(child = name, %error, "could not be waited for"),
    }
}
