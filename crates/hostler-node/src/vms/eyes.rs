//! One look at the hypervisor for all VMs: now and then, and whenever a task
//! has changed something. However many ask at once, a look that *began* after
//! they asked answers them all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hostler_core::id::VmId;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::hypervisor::machines::{MachineError, Machines, Sight};
use crate::report::report;

/// A look that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was seen; nothing while the hypervisor does not answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    pub(super) machines: Option<Arc<Seen>>,
}

/// Machines that carry our mark, and all others.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) ours: BTreeMap<VmId, Sight>,
    pub(super) others: Vec<Sight>,
}

/// The eyes of a node. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub(super) struct Eyes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    machines: Arc<dyn Machines>,
    picture: watch::Sender<Picture>,
    begun: AtomicU64,
    turn: Mutex<()>,
}

impl Eyes {
    pub(super) fn new(machines: Arc<dyn Machines>) -> Self {
        Self(Arc::new(Shared {
            machines,
            picture: watch::Sender::default(),
            begun: AtomicU64::new(0),
            turn: Mutex::default(),
        }))
    }

    /// Tells of every picture.
    pub(super) fn pictures(&self) -> watch::Receiver<Picture> {
        self.0.picture.subscribe()
    }

    /// A picture that was begun after this was called.
    pub(super) async fn fresh(&self) -> Result<(), MachineError> {
        let asked = self.0.begun.load(Ordering::SeqCst);
        let _turn = self.0.turn.lock().await;
        let begun = self.0.begun.load(Ordering::SeqCst);
        let is_known = self.0.picture.borrow().machines.is_some();
        if begun > asked && is_known {
            return Ok(());
        }
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        self.look().await
    }

    async fn look(&self) -> Result<(), MachineError> {
        let looked = tokio::time::timeout(PATIENCE, self.0.machines.look()).await;
        let looked = looked.unwrap_or(Err(MachineError::Late(PATIENCE, "a look at the machines")));
        let machines = looked.as_ref().ok().map(|seen| Arc::new(sorted(seen)));
        self.0.picture.send_replace(Picture { machines });
        looked.map(drop)
    }

    /// Looks now and then, until `stop`.
    pub(super) async fn run(self, every: Duration, stop: CancellationToken) {
        let mut blind = false;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.fresh() => looked,
            };
            match looked {
                Ok(()) => blind = false,
                Err(error) if !std::mem::replace(&mut blind, true) => {
                    tracing::warn!(error = %report(&error), "could not look at the machines");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }
}

fn sorted(seen: &[Sight]) -> Seen {
    let mut all = Seen::default();
    for sight in seen {
        match sight.vm {
            Some(vm) => drop(all.ours.insert(vm, sight.clone())),
            None => all.others.push(sight.clone()),
        }
    }
    all
}
