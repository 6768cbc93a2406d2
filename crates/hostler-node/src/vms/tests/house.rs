//! A node's VMs without a node: what outlives the daemon, and a daemon.

use std::time::Duration;

use hostler_core::Generation;
use hostler_core::id::{BootId, SnapshotId, VmId};
use hostler_core::node::Beat;
use hostler_core::vm::{VmGoal, VmSeenState};
use hostler_wire::node_api::{VmEnsure, VmEntry, VmOrder};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::{VmEnsureError, VmParts, VmRoster, Vms};
use crate::clock::Clock;
use crate::fence::Lease;
use crate::guard::Guard;
use crate::hypervisor::machines::{FakeMachines, Machinery};
use crate::images::{ImageSource, Images};

pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What outlives a daemon.
pub(super) struct Ground {
    pub(super) folder: TempDir,
    pub(super) fake: FakeMachines,
    pub(super) clock: Clock,
}

/// A daemon's VMs.
pub(super) struct House {
    pub(super) vms: Vms,
    pub(super) lease: Lease,
    boot: BootId,
    stop: CancellationToken,
}

pub(super) fn vm(number: u8) -> VmId {
    VmId::from_parts(1, [number; 10])
}

pub(super) fn snapshot(number: u8) -> SnapshotId {
    SnapshotId::from_parts(1, [number; 10])
}

impl Ground {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            fake: FakeMachines::default(),
            clock: Clock::of_runtime(),
        }
    }

    /// A daemon over it, heard by its control plane once.
    pub(super) fn start(&self) -> House {
        let boot = BootId::from_parts(1, rand::random());
        let span = Duration::from_mins(1);
        let lease = Lease::open(self.folder.path(), boot, span, self.clock.clone()).unwrap();
        lease.sent(1);
        lease.answered(1, None).unwrap();
        let source = ImageSource {
            control: None,
            key: watch::channel(None).1,
        };
        let data = self.folder.path();
        let parts = VmParts {
            machinery: Machinery::fake(self.fake.clone()),
            images: Images::open(data, 0, source, false).unwrap(),
            lease: lease.clone(),
            guard: Guard::open(data, None),
            look_every: Duration::from_millis(20),
        };
        let stop = CancellationToken::new();
        let vms = Vms::start(parts, data, stop.clone()).unwrap();
        House {
            vms,
            lease,
            boot,
            stop,
        }
    }
}

impl House {
    /// As a kill would: nothing is told, nothing is waited for but the tasks.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.vms.wait().await;
    }

    pub(super) fn beat(&self) -> Beat {
        Beat {
            boot: self.boot,
            sequence: 1,
        }
    }

    pub(super) async fn order(
        &self,
        generation: u64,
        goal: VmGoal,
        order: &VmOrder,
    ) -> Result<VmEntry, VmEnsureError> {
        let ensure = VmEnsure {
            generation: Generation::new(generation),
            goal,
            heartbeat: Some(self.beat()),
            order: (goal != VmGoal::Gone).then(|| order.clone()),
        };
        self.vms.ensure(vm(1), ensure).await
    }

    /// Waits until what is said of VM 1 is so.
    #[track_caller]
    pub(super) fn seen(&self, wanted: impl Fn(&VmEntry) -> bool) -> impl Future<Output = VmEntry> {
        let mut roster = self.vms.roster();
        let at = std::panic::Location::caller();
        async move {
            let is = |roster: &VmRoster| {
                let view = roster.views.get(&vm(1));
                view.is_some_and(|view| wanted(&view.entry))
            };
            let in_time = tokio::time::timeout(PATIENCE, roster.wait_for(is)).await;
            let found = in_time.map(|found| found.unwrap().views[&vm(1)].entry.clone());
            if let Ok(found) = found {
                return found;
            }
            let last = roster.borrow().views.get(&vm(1)).cloned();
            panic!("not seen in time at {at}: {last:#?}");
        }
    }

    #[track_caller]
    pub(super) fn is(&self, state: VmSeenState) -> impl Future<Output = VmEntry> {
        self.seen(move |entry| entry.state == state)
    }
}
