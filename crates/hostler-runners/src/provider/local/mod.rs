//! Processes on this machine as machines: each runner is one `hostler node up`
//! with a folder of its own. For trying the closed loop on a laptop, and for
//! tests of it.
//!
//! ```text
//!  ordered ──boot delay──▶ started ──▶ ended by itself (the machine is lost)
//!     └──────── released ◀────┘            a released one is ended and removed
//! ```
//!
//! What is known is in the folders alone, so that the next life of this process
//! finds every machine again: the order, the process with its start time, and
//! the wish to release it.

mod folder;
mod options;
mod power;
mod process;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::runner::{Machine, Program, Request, RunnerFacts, RunnerId, RunnerPool};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{Check, Host, Order, Provider, ProviderError, ProviderInfo, Snapshot};
use crate::clock::Clock;
use folder::{Folder, Known};
pub use options::{Clear, LocalOptions};
pub use power::power_off;

/// Processes on this machine as machines.
pub struct Local {
    options: LocalOptions,
    seen: watch::Sender<Arc<Snapshot>>,
    wake: Notify,
    clock: Clock,
}

const LOOK: Duration = Duration::from_millis(100);

impl Local {
    /// Finds the machines of earlier lives, and looks after all of them until
    /// `stop`. The machines go on without it.
    pub fn start(
        options: LocalOptions,
        clock: Clock,
        stop: CancellationToken,
    ) -> std::io::Result<Arc<Self>> {
        std::fs::create_dir_all(&options.folder)?;
        let local = Arc::new(Self {
            options,
            seen: watch::Sender::default(),
            wake: Notify::new(),
            clock,
        });
        let caring = Arc::clone(&local);
        tokio::spawn(async move {
            let _ = stop.run_until_cancelled(caring.care()).await;
        });
        Ok(local)
    }

    /// A look reads files and may wait for the kernel.
    async fn care(self: Arc<Self>) {
        loop {
            let woken = self.wake.notified();
            let looking = Arc::clone(&self);
            if let Err(error) = tokio::task::spawn_blocking(move || looking.look()).await {
                tracing::error!(%error, "a look at the machines ended badly");
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn look(&self) {
        let mut runners = BTreeMap::new();
        for folder in Folder::all(&self.options.folder) {
            if let Some(known) = folder.read() {
                runners.extend(self.tend(&folder, known));
            }
        }
        let snapshot = Arc::new(Snapshot {
            hosts: runners.values().filter_map(host).collect(),
            runners,
            is_synced: true,
            ..Snapshot::default()
        });
        self.seen.send_if_modified(|seen| {
            let is_new = *seen != snapshot;
            *seen = snapshot;
            is_new
        });
    }

    /// Does what is due for one machine; what it is then.
    fn tend(&self, folder: &Folder, known: Known) -> Option<(RunnerId, Arc<RunnerFacts>)> {
        let process = folder.process();
        let is_due = (self.clock)() >= known.created + self.options.boot_delay;
        if folder.is_released() {
            process::end(folder, process, self.options.grace);
            let is_dead = process.is_none_or(|process| !process.lives());
            if is_dead && process::sweep(&self.options.clear, folder) {
                folder.remove();
                return None;
            }
        } else if process.is_none() && is_due {
            if let Err(error) = process::start(&self.options, folder, &known) {
                tracing::error!(runner = %known.id, %error, "could not start the machine");
            }
        } else if process.is_some_and(|process| !process.lives()) {
            // A machine that is dead has nothing that runs.
            process::sweep(&self.options.clear, folder);
        }
        Some((known.id.clone(), Arc::new(facts(folder, known))))
    }
}

fn facts(folder: &Folder, known: Known) -> RunnerFacts {
    let mut facts = RunnerFacts::waiting(
        known.id.clone(),
        known.pool,
        Some(known.mark.into()),
        known.created,
    );
    facts.is_terminating = folder.is_released();
    let Some(process) = folder.process() else {
        return facts;
    };
    let lives = process.lives();
    facts.request = Request::Placed;
    facts.machine = Some(Machine {
        name: known.id.to_string(),
        internal_ips: vec!["127.0.0.1".to_owned()],
        is_ready: Some(lives),
        exists: Some(lives),
        is_cordoned: folder.is_closed(),
    });
    facts.program = Program {
        name: Some(format!("hostler-node-{}", process.pid)),
        is_running: lives,
        is_ready: lives,
        failing_since: None,
    };
    facts
}

fn host(facts: &Arc<RunnerFacts>) -> Option<Host> {
    Some(Host {
        machine: facts.machine.clone()?,
        runners: vec![facts.id.clone()],
        program: facts.program.name.clone(),
    })
}

fn failed(error: &std::io::Error) -> ProviderError {
    ProviderError::Unreachable(error.to_string())
}

#[async_trait]
impl Provider for Local {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "local",
            lag: Duration::from_secs(1),
            calls_at_once: 4,
        }
    }

    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.seen.subscribe()
    }

    async fn create(&self, order: &Order) -> Result<(), ProviderError> {
        if order.machine.is_some() {
            let text = "a process on this machine cannot be adopted";
            return Err(ProviderError::Invalid(text.to_owned()));
        }
        let folder = Folder::of(&self.options.folder, &order.id);
        let most = self.options.most;
        if folder.read().is_none() && Folder::all(&self.options.folder).len() >= most {
            let text = format!("this machine takes {most} runners");
            return Err(ProviderError::Quota(text));
        }
        let known = Known::of(order, (self.clock)());
        folder.write(&known).map_err(|error| failed(&error))?;
        self.wake.notify_one();
        Ok(())
    }

    async fn cordon(&self, id: &RunnerId, closed: bool) -> Result<(), ProviderError> {
        let folder = Folder::of(&self.options.folder, id);
        folder.close(closed).map_err(|error| failed(&error))
    }

    async fn release(&self, id: &RunnerId) -> Result<(), ProviderError> {
        let folder = Folder::of(&self.options.folder, id);
        folder.release().map_err(|error| failed(&error))?;
        self.wake.notify_one();
        Ok(())
    }

    async fn check(&self, _pools: &[Arc<RunnerPool>]) -> Vec<Check> {
        self.options.check()
    }
}
