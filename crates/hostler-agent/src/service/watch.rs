//! A service that runs, and what becomes known of it when it ends by itself.
//!
//! One task waits for the end. What the service left running is ended as well,
//! its last words are passed on, and then, in this order: the log entry, the
//! event, the status. When the agent is stopping it, the task says nothing:
//! the node knows (protocol 7.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use hostler_wire::agent::{AgentLevel, EventData, WorkloadStopped};
use rustix::process::Pid;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::launch::{Blank, Launch, StartError};
use super::output::pump;
use super::reaper::{CODE_SIGNALLED, Reaper};
use super::stop::family_end;
use crate::outbox::Outbox;
use crate::status::Status;

/// How long last words may take after the end of everybody who could write.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a service touches of the agent.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) slot: String,
    pub(crate) outbox: Outbox,
    pub(crate) status: Arc<Status>,
    pub(crate) reaper: Reaper,
    /// Cancelled when the agent ends whatever runs.
    pub(crate) closing: CancellationToken,
}

/// A service that was started.
pub(crate) struct Service {
    pub(super) pid: Pid,
    pub(super) reaper: Reaper,
    pub(super) stopping: Arc<AtomicBool>,
    /// True once everything about its end is done.
    pub(super) done: watch::Receiver<bool>,
}

impl Service {
    /// Starts a service in a process made for it; it runs when this returns.
    pub(crate) async fn start(
        blank: Blank,
        what: &Launch,
        around: Surroundings,
    ) -> Result<Self, StartError> {
        let started = blank.launch(what).await?;
        let pump =
            |pipe, level| tokio::spawn(pump(pipe, around.outbox.clone(), what.name.clone(), level));
        let output = [
            pump(started.stdout, AgentLevel::INFO),
            pump(started.stderr, AgentLevel::ERROR),
        ];
        let stopping = Arc::<AtomicBool>::default();
        let (tell, done) = watch::channel(false);
        let service = Self {
            pid: started.pid,
            reaper: around.reaper.clone(),
            stopping: Arc::clone(&stopping),
            done,
        };
        let watcher = Watcher {
            name: what.name.clone(),
            around,
            output,
            stopping,
        };
        tokio::spawn(async move {
            watcher.watch(started.exit).await;
            tell.send_replace(true);
        });
        Ok(service)
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> Option<u32> {
        u32::try_from(self.pid.as_raw_nonzero().get()).ok()
    }
}

struct Watcher {
    name: String,
    around: Surroundings,
    output: [JoinHandle<()>; 2],
    stopping: Arc<AtomicBool>,
}

impl Watcher {
    async fn watch(self, exit: oneshot::Receiver<i32>) {
        let code = exit.await.unwrap_or(CODE_SIGNALLED);
        let around = &self.around;
        // The agent itself ends the service.
        let is_silent = || self.stopping.load(SeqCst) || around.closing.is_cancelled();
        if !is_silent()
            && let Err(left) = family_end(&around.reaper).await
        {
            tracing::error!(%left, "the service has ended and left processes behind");
        }
        let last_words = async {
            for pump in self.output {
                // A pump that failed has nothing more to say.
                let _ = pump.await;
            }
        };
        // Late only if a process is left that holds the pipe.
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
        if !is_silent() {
            exited(&around.outbox, &around.slot, &self.name, code);
        }
        around.status.exited(Some(code));
    }
}

/// Says that a service ended by itself (protocol 4.2, 4.4).
fn exited(outbox: &Outbox, slot: &str, name: &str, code: i32) {
    let level = if code == 0 {
        AgentLevel::INFO
    } else {
        AgentLevel::ERROR
    };
    outbox.say(level, format!("Workload {name} exited"));
    outbox.event(EventData::WorkloadStopped(WorkloadStopped {
        workload_name: name.to_owned(),
        code,
        message: hostler_wire::nats::event::exited_message(name, slot, code),
    }));
}
