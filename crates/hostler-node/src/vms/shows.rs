//! What the task of a VM says of it: to the control plane, and to whoever looks.

use std::collections::BTreeSet;
use std::sync::Arc;

use hostler_core::id::SnapshotId;
use hostler_core::vm::{Act, Power, SnapshotState, VmGoal, WantsRestart, wants_restart};
use hostler_wire::node_api::{DiskSource, Progress, SnapshotEntry, VmDefinition, VmEntry};

use super::order;
use super::record::Origin;
use super::task::Task;
use super::view::VmView;

impl Task {
    /// What the node says of it now.
    pub(super) fn entry(&self) -> VmEntry {
        let sight = self.sight.machine();
        let files = self.files.as_ref().into_iter();
        let used = files
            .flat_map(|files| files.disks.values())
            .map(|disk| disk.used);
        let record = &self.record;
        VmEntry {
            id: record.id,
            generation: record.generation,
            state: self.state(),
            size: record.order.as_ref().map(|order| order.size),
            problem: record.failed.clone().or_else(|| self.problem.clone()),
            progress: self.progress(),
            addresses: sight
                .map(|sight| sight.addresses.clone())
                .unwrap_or_default(),
            disk_used: used.sum(),
            wants_restart: self.wants_restart(),
            reboots: record.done.reboots,
            snapshots: self.snapshots(),
            rollback: record.rollback.clone(),
        }
    }

    /// What it is, whoever ordered it; nothing of what is gone.
    pub(super) fn definition(&self) -> Option<VmDefinition> {
        let record = &self.record;
        let stays = self.known && record.goal != VmGoal::Gone;
        Some(VmDefinition {
            generation: record.generation,
            goal: record.goal,
            order: record.order.clone().filter(|_| stays)?,
        })
    }

    fn progress(&self) -> Option<Progress> {
        let root = self.record.order.as_ref().map(|order| &order.root)?;
        match (&self.step, root) {
            (Some((Act::FetchImage, _)), DiskSource::Image { digest, bytes, .. }) => {
                Some(Progress {
                    what: "fetching its image".to_owned(),
                    done: self.parts().images.progress(digest),
                    total: *bytes,
                })
            }
            (Some((Act::MakeDisk(_), _)), _) => Some(Progress {
                what: "making its disks".to_owned(),
                done: 0,
                total: 0,
            }),
            _ => None,
        }
    }

    fn wants_restart(&self) -> Vec<WantsRestart> {
        let sight = self.sight.machine();
        let on = sight.is_some_and(|sight| sight.power != Power::Off);
        let spec = order::spec(&self.record, self.parts().machinery.disks.as_ref());
        match (&self.record.started, spec) {
            (Some(started), Some(spec)) if on => {
                wants_restart(*started, (spec.size, order::numbers(&spec).1))
            }
            _ => Vec::new(),
        }
    }

    fn snapshots(&self) -> Vec<SnapshotEntry> {
        let order = self.record.order.iter();
        let wanted = order.flat_map(|order| &order.snapshots);
        wanted.map(|snapshot| self.snapshot(snapshot.id)).collect()
    }

    fn snapshot(&self, id: SnapshotId) -> SnapshotEntry {
        let done = &self.record.done;
        let note = self.record.snapshots.get(&id).cloned().unwrap_or_default();
        let state = if done.snapshots_failed.contains(&id) {
            SnapshotState::Failed
        } else if done.snapshots_taken.contains(&id) {
            SnapshotState::Ready
        } else {
            SnapshotState::Taking
        };
        SnapshotEntry {
            id,
            state,
            taken_at: note.taken_at,
            problem: note.problem,
        }
    }

    pub(super) fn publish(&self) {
        if !self.known {
            return;
        }
        let sight = self.sight.machine();
        let order = self.record.order.as_ref();
        let view = VmView {
            entry: self.entry(),
            is_local: self.record.origin == Origin::Local,
            name: order.map(|order| order.name.clone()).unwrap_or_default(),
            size: order.map(|order| order.size),
            images: self.images(),
            usage: sight.and_then(|sight| sight.usage),
        };
        self.vms.0.roster.send_if_modified(|roster| {
            let held = roster.views.get(&self.record.id);
            // What it uses changes all the time, and is no news.
            let is_news =
                held.is_none_or(|held| held.entry != view.entry || held.is_local != view.is_local);
            roster.views.insert(self.record.id, Arc::new(view));
            is_news
        });
    }

    /// The image it was made from, and the one it is to be made from.
    fn images(&self) -> Option<BTreeSet<String>> {
        let mut images = self.files.as_ref()?.bases.clone();
        let root = self.record.order.as_ref().map(|order| &order.root);
        if let Some(DiskSource::Image { digest, .. }) = root {
            images.insert(digest.clone());
        }
        Some(images)
    }
}
