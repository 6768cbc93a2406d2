//! What acts do, and what comes of them. Every act may be repeated; whoever
//! dies in the middle begins it again.

use std::time::Duration;

use chrono::Utc;
use hostler_core::vm::{Act, Life, Note, RollbackDone, Stopping, VmSize};
use hostler_wire::node_api::DiskSource;
use tokio::time::Instant;

use super::kept;
use super::order::{ROOT, numbers, spec};
use super::record::SnapshotNote;
use super::task::{ActFuture, Outcome, Task};
use crate::hypervisor::machines::{DiskOrigin, DiskPlan, MachineError, PowerAct, SnapshotAct};
use crate::report::report;
use crate::seed;

/// How often something is tried that says something of the machine.
const TRIES: u32 = 6;
/// What changes a machine's power takes no longer.
const POWER: Duration = Duration::from_mins(2);
/// What copies bytes takes no longer.
const BYTES: Duration = Duration::from_hours(2);

impl Task {
    /// Begins an act.
    pub(super) fn begin(&mut self, act: &Act) -> ActFuture {
        match act {
            Act::Look => self.look(),
            Act::FetchImage => self.image_fetch(),
            Act::MakeDisk(name) => self.disk_make(name),
            Act::GrowDisk(name) => self.disk_grow(name),
            Act::Define(_) => self.define(),
            Act::Start => self.start(),
            Act::ShutDown => {
                let now = self.lease().now();
                let since = self.stopping.map_or(now, |stopping| stopping.since);
                let asked = Some(now);
                self.stopping = Some(Stopping { since, asked });
                self.power(PowerAct::ShutDown)
            }
            Act::Off => self.power(PowerAct::Off),
            Act::Pause => self.power(PowerAct::Pause),
            Act::Resume => self.power(PowerAct::Resume),
            Act::TakeSnapshot(id) => {
                let memory = self.with_memory(*id);
                self.snapshot_act(SnapshotAct::Take { id: *id, memory })
            }
            Act::RemoveSnapshot(id) => self.snapshot_act(SnapshotAct::Remove { id: *id }),
            Act::RollBack(_, id) => {
                let memory = self.with_memory(*id);
                self.snapshot_act(SnapshotAct::Back { id: *id, memory })
            }
            Act::Remove => self.remove(),
            Act::Rest | Act::Wait(_) | Act::Note(_) | Act::GiveUp(_) => {
                Box::pin(async { Ok(None) })
            }
        }
    }

    /// An act has ended.
    pub(super) async fn ended(&mut self, outcome: Outcome) {
        let Some((act, _)) = self.step.take() else {
            return;
        };
        match outcome {
            Ok(files) => self.succeeded(&act, files).await,
            Err(error) => self.went_wrong(&act, &error).await,
        }
    }

    async fn succeeded(&mut self, act: &Act, files: Option<crate::hypervisor::machines::Files>) {
        if *act == Act::Look {
            self.files = files;
            self.dirty = false;
            return;
        }
        self.dirty = true;
        self.failures = 0;
        self.pauses.reset();
        if !self.record.fenced {
            self.problem = None;
        }
        if *act == Act::FetchImage {
            self.vms.images_evict();
        }
        let changed = match act {
            Act::Define(number) => {
                self.record.done.defined = Some(*number);
                true
            }
            Act::RemoveSnapshot(id) => {
                self.record.snapshots.remove(id);
                self.record.done.snapshots_taken.remove(id);
                true
            }
            Act::RollBack(number, _) => {
                self.rolled_back(*number, None);
                true
            }
            _ => false,
        };
        if changed && let Err(error) = self.write().await {
            self.complain("could not write down what was done to a VM", &error);
        }
    }

    async fn went_wrong(&mut self, act: &Act, error: &MachineError) {
        let text = report(error).to_string();
        tracing::warn!(vm = %self.record.id, ?act, error = text, "could not do something to a VM");
        self.dirty = true;
        self.not_before = Some(Instant::now() + self.pauses.next());
        if *act == Act::Look {
            self.files = None;
            self.problem = Some(format!("the hypervisor does not answer: {text}"));
            return;
        }
        self.problem = Some(text.clone());
        if error.is_about_the_machine() {
            self.failures += 1;
        }
        if error.is_final() || self.failures >= TRIES {
            self.failures = 0;
            self.given_up(act, text).await;
        }
    }

    /// Trying again will not help: what cannot be done is said, not tried.
    async fn given_up(&mut self, act: &Act, why: String) {
        match act {
            Act::TakeSnapshot(id) => {
                let note = SnapshotNote {
                    taken_at: None,
                    problem: Some(why),
                };
                self.record.snapshots.insert(*id, note);
                self.record.done.snapshots_failed.insert(*id);
                self.problem = None;
            }
            Act::RollBack(number, _) => self.rolled_back(*number, Some(why)),
            Act::FetchImage
            | Act::MakeDisk(_)
            | Act::GrowDisk(_)
            | Act::Define(_)
            | Act::Start
            | Act::Pause
            | Act::Resume => self.record.failed = Some(why),
            // An end is wanted until it is there.
            _ => return,
        }
        self.not_before = None;
        if let Err(error) = self.write().await {
            self.complain("could not write down that something was given up", &error);
        }
    }

    pub(super) async fn give_up(&mut self, why: String) -> bool {
        self.record.failed = Some(why);
        self.written("could not write down that a VM was given up")
            .await
    }

    /// A rollback has ended; what should be on is started, if it is not.
    fn rolled_back(&mut self, number: u64, problem: Option<String>) {
        self.record.done.rollback_ended = number;
        if problem.is_none() {
            self.record.done.life = Life::Off;
        }
        self.record.rollback = Some(RollbackDone { number, problem });
    }

    /// Writes something down; whether it is on disk.
    pub(super) async fn note(&mut self, note: Note) -> bool {
        match note {
            Note::Life(life) => self.life(life),
            Note::Reboot(number) => {
                self.record.done.reboots = number;
                self.life(Life::Ending);
            }
            Note::RebootSkipped(number) => {
                self.record.done.reboots = number;
                if self.record.done.life == Life::Left {
                    self.life(Life::Off);
                }
            }
            Note::DiskMade(name) => drop(self.record.done.disks.insert(name)),
            Note::SnapshotTaken(id) => {
                self.record.done.snapshots_taken.insert(id);
                let note = self.record.snapshots.entry(id).or_default();
                note.taken_at = Some(Utc::now());
            }
            Note::RollbackBegun(number) => self.record.done.rollback_begun = number,
            Note::RollbackRefused(number) => {
                let why = "there is no such snapshot to go back to".to_owned();
                self.rolled_back(number, Some(why));
            }
        }
        self.written("could not write down what is done to a VM")
            .await
    }

    fn life(&mut self, life: Life) {
        let was = std::mem::replace(&mut self.record.done.life, life);
        match life {
            Life::Ending => {
                let since = self.lease().now();
                self.stopping = Some(Stopping { since, asked: None });
            }
            Life::On => {
                self.record.boot = self.boot_now();
                // A daemon that began the start and died did not write it down.
                let shape = self.started.take().or_else(|| self.shape());
                self.record.started = shape
                    .filter(|_| was == Life::Starting)
                    .or(self.record.started);
            }
            Life::Starting => {}
            Life::Off | Life::Left => self.stopping = None,
        }
    }

    /// Size and devices as they are ordered now.
    fn shape(&self) -> Option<(VmSize, u64)> {
        let spec = spec(&self.record, self.parts().machinery.disks.as_ref())?;
        Some((spec.size, numbers(&spec).1))
    }

    async fn written(&mut self, otherwise: &'static str) -> bool {
        let written = self.write().await;
        if let Err(error) = &written {
            self.complain(otherwise, error);
        }
        written.is_ok()
    }

    fn look(&self) -> ActFuture {
        let (eyes, id) = (self.vms.0.eyes.clone(), self.record.id);
        let disks = self.parts().machinery.disks.clone();
        within(POWER, "a look", async move {
            eyes.fresh().await?;
            Ok(Some(disks.look(id).await?))
        })
    }

    fn image_fetch(&self) -> ActFuture {
        let images = self.parts().images.clone();
        let root = self.record.order.as_ref().map(|order| order.root.clone());
        Box::pin(async move {
            if let Some(DiskSource::Image {
                digest,
                bytes,
                format,
            }) = root
            {
                images.fetch(&digest, bytes, &format).await?;
            }
            Ok(None)
        })
    }

    fn disk_make(&self, name: &str) -> ActFuture {
        let Some(order) = &self.record.order else {
            return Box::pin(async { Ok(None) });
        };
        let more = order.disks.iter().find(|disk| disk.name == name);
        let bytes = more.map_or(order.size.disk, |disk| disk.size).get();
        let origin = if name == ROOT {
            self.origin(&order.root)
        } else {
            Ok(DiskOrigin::Blank)
        };
        let (vm, name) = (self.record.id, name.to_owned());
        let disks = self.parts().machinery.disks.clone();
        within(BYTES, "making a disk", async move {
            let origin = origin?;
            let plan = DiskPlan {
                vm,
                name,
                bytes,
                origin,
            };
            disks.make(&plan).await.map(|()| None)
        })
    }

    fn origin(&self, root: &DiskSource) -> Result<DiskOrigin, MachineError> {
        match root {
            DiskSource::Blank => Ok(DiskOrigin::Blank),
            DiskSource::Image { digest, format, .. } => Ok(DiskOrigin::Image {
                path: self.parts().images.path(digest),
                format: format.clone(),
            }),
            DiskSource::Clone { vm } => {
                let picture = self.vms.0.eyes.pictures();
                let seen = picture.borrow().machines.clone();
                let sight = seen.as_ref().and_then(|seen| seen.ours.get(vm));
                let is_on = sight.is_some_and(|sight| sight.power != hostler_core::vm::Power::Off);
                if is_on {
                    let text = format!("the VM {vm}, which it is a copy of, is on: stop it first");
                    return Err(MachineError::Away(text));
                }
                Ok(DiskOrigin::Copy { of: *vm })
            }
        }
    }

    fn disk_grow(&self, name: &str) -> ActFuture {
        let order = self.record.order.as_ref();
        let more = order.and_then(|order| order.disks.iter().find(|disk| disk.name == name));
        let root = order.map_or(0, |order| order.size.disk.get());
        let bytes = more.map_or(root, |disk| disk.size.get());
        let sight = self.sight.machine();
        let is_on = sight.is_some_and(|sight| sight.power != hostler_core::vm::Power::Off);
        let machinery = self.parts().machinery.clone();
        let (vm, name) = (self.record.id, name.to_owned());
        within(BYTES, "growing a disk", async move {
            if is_on {
                machinery.machines.grow(vm, &name, bytes).await?;
            } else {
                machinery.disks.grow(vm, &name, bytes).await?;
            }
            Ok(None)
        })
    }

    fn define(&self) -> ActFuture {
        let machinery = self.parts().machinery.clone();
        let spec = spec(&self.record, machinery.disks.as_ref());
        let order = self.record.order.clone();
        within(POWER, "a definition", async move {
            let (Some(spec), Some(order)) = (spec, order) else {
                return Ok(None);
            };
            seed::write(&spec, &order.seed).await?;
            kept::write(&spec.folder, &order).await?;
            machinery.machines.define(&spec).await.map(|()| None)
        })
    }

    /// Whoever fences in the daemon's place knows of it before it runs.
    fn start(&mut self) -> ActFuture {
        self.started = self.shape();
        let guard = self.parts().guard.clone();
        let (vm, bound) = (self.record.id, self.record.is_bound());
        let machines = self.parts().machinery.machines.clone();
        within(POWER, "a start", async move {
            if bound {
                guard.hold(vm).await?;
            } else {
                guard.let_go(vm).await;
            }
            machines.power(vm, PowerAct::Start).await.map(|()| None)
        })
    }

    fn power(&self, act: PowerAct) -> ActFuture {
        let machines = self.parts().machinery.machines.clone();
        let vm = self.record.id;
        within(POWER, "changing its power", async move {
            machines.power(vm, act).await.map(|()| None)
        })
    }

    fn with_memory(&self, id: hostler_core::id::SnapshotId) -> bool {
        let order = self.record.order.iter();
        let mut snapshots = order.flat_map(|order| &order.snapshots);
        let wanted = snapshots.find(|snapshot| snapshot.id == id);
        wanted.is_some_and(|snapshot| snapshot.memory)
    }

    fn snapshot_act(&self, act: SnapshotAct) -> ActFuture {
        let machines = self.parts().machinery.machines.clone();
        let vm = self.record.id;
        within(BYTES, "a snapshot", async move {
            machines.snapshot(vm, act).await.map(|()| None)
        })
    }

    fn remove(&self) -> ActFuture {
        let machinery = self.parts().machinery.clone();
        let vm = self.record.id;
        within(BYTES, "removing it", async move {
            machinery.machines.remove(vm).await?;
            machinery.disks.remove(vm).await.map(|()| None)
        })
    }
}

fn within(
    span: Duration,
    doing: &'static str,
    act: impl Future<Output = Outcome> + Send + 'static,
) -> ActFuture {
    Box::pin(async move {
        let done = tokio::time::timeout(span, act).await;
        done.unwrap_or(Err(MachineError::Late(span, doing)))
    })
}
