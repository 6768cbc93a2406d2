//! A machine: a daemon that may be dead, a disk that outlives it, and VMs that
//! outlive it too, until whoever watches their lease switches them off.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{VmGuard, VmOptions};
use crate::Generation;
use crate::id::{BootId, NodeId, VmId};
use crate::node::{Beat, HeldLease, Timing};
use crate::vm::{VmGoal, VmSeenState};
use crate::workload::{Held, NodeGoal, OnNodeLoss, Verdict, order_verdict};

/// What a ledger holds of a VM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) generation: Generation,
    pub(super) goal: VmGoal,
    pub(super) is_fenced: bool,
    is_leased: bool,
}

/// An order on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) vm: VmId,
    pub(super) generation: Generation,
    pub(super) goal: VmGoal,
    pub(super) beat: Option<Beat>,
    pub(super) on_node_loss: OnNodeLoss,
}

/// What a node says of a VM.
pub(super) type Said = (VmId, Generation, VmSeenState);

pub(super) struct Machine {
    pub(super) id: NodeId,
    boots: u64,
    sequence: u64,
    /// `None` while the daemon is dead.
    pub(super) lease: Option<HeldLease>,
    /// Until when what is bound may run, as the watch beside it knows.
    watch: Option<Duration>,
    span: Option<Duration>,
    pub(super) ledger: BTreeMap<VmId, Entry>,
    pub(super) disks: BTreeSet<VmId>,
    pub(super) running: BTreeSet<VmId>,
    options: VmOptions,
}

impl Machine {
    pub(super) fn new(id: NodeId, timing: &Timing, options: VmOptions) -> Self {
        let mut machine = Self {
            id,
            boots: 0,
            sequence: 0,
            lease: None,
            watch: None,
            span: None,
            ledger: BTreeMap::new(),
            disks: BTreeSet::new(),
            running: BTreeSet::new(),
            options,
        };
        machine.start(timing);
        machine
    }

    /// The daemon starts: what it finds running, it adopts.
    pub(super) fn start(&mut self, timing: &Timing) {
        self.boots += 1;
        let boot = BootId::from_uuid(uuid::Uuid::from_u128(
            self.id.uuid().as_u128() ^ u128::from(self.boots),
        ));
        self.sequence = 0;
        self.lease = Some(HeldLease::new(boot, self.span, timing.fence_after));
        for (vm, entry) in &mut self.ledger {
            let wanted = entry.goal.is_active();
            entry.is_fenced |= wanted && !self.running.contains(vm);
        }
    }

    fn boot(&self) -> BootId {
        BootId::from_uuid(uuid::Uuid::from_u128(
            self.id.uuid().as_u128() ^ u128::from(self.boots),
        ))
    }

    /// Its next heartbeat: the beat, its span and its ledger.
    pub(super) fn beat(&mut self, now: Duration) -> Option<(Beat, Option<Duration>, Vec<Said>)> {
        let boot = self.boot();
        let lease = self.lease.as_mut()?;
        self.sequence += 1;
        lease.sent(self.sequence, now);
        let beat = Beat {
            boot,
            sequence: self.sequence,
        };
        let span = lease.span();
        let said = self.ledger.keys().filter_map(|vm| self.says(*vm)).collect();
        Some((beat, span, said))
    }

    /// The answer to a heartbeat.
    pub(super) fn answered(&mut self, beat: Beat, fence_after: Option<Duration>, now: Duration) {
        if beat.boot != self.boot() {
            return;
        }
        let Some(lease) = &mut self.lease else { return };
        if lease.answered(beat.sequence, fence_after, now) {
            if let Some(offered) = lease.offered() {
                lease.take_over(offered);
            }
            self.span = lease.span();
            self.watch = lease.ends_at();
        }
    }

    /// What it would do with a VM if its lease ended, by the order it followed.
    pub(super) fn on_node_loss(&self, vm: VmId) -> OnNodeLoss {
        match self.ledger.get(&vm) {
            Some(entry) if entry.is_leased => OnNodeLoss::Restart,
            _ => OnNodeLoss::Wait,
        }
    }

    fn says(&self, vm: VmId) -> Option<Said> {
        let entry = self.ledger.get(&vm)?;
        let state = match entry.goal {
            VmGoal::Gone => VmSeenState::Absent,
            _ if entry.is_fenced => VmSeenState::Fenced,
            VmGoal::Running => VmSeenState::Running,
            VmGoal::Paused => VmSeenState::Paused,
            VmGoal::Stopped => VmSeenState::Stopped,
        };
        Some((vm, entry.generation, state))
    }

    /// Follows an order or not; what it says to it.
    pub(super) fn ordered(&mut self, order: Order, now: Duration) -> Option<Said> {
        let lease = self.lease.as_mut()?;
        let fresh = lease.admits(order.beat, now);
        let fresh = fresh || self.options.without == Some(VmGuard::FreshOrder);
        self.watch = lease.ends_at();
        let held = self.ledger.get(&order.vm).map(|entry| Held {
            generation: entry.generation,
            goal: node_goal(entry.goal),
            fenced: entry.is_fenced,
        });
        match order_verdict(held, order.generation, node_goal(order.goal), fresh) {
            Verdict::Follow => self.follow(order),
            Verdict::Repeat => {}
            Verdict::Refuse(_) | Verdict::Stale => return None,
        }
        self.says(order.vm)
    }

    fn follow(&mut self, order: Order) {
        let entry = Entry {
            generation: order.generation,
            goal: order.goal,
            is_fenced: false,
            is_leased: order.on_node_loss == OnNodeLoss::Restart,
        };
        self.ledger.insert(order.vm, entry);
        if order.goal == VmGoal::Gone {
            self.disks.remove(&order.vm);
        } else {
            self.disks.insert(order.vm);
        }
        if order.goal.is_active() {
            self.running.insert(order.vm);
        } else {
            self.running.remove(&order.vm);
        }
    }

    /// Switches off what its lease binds when that has ended.
    pub(super) fn fence(&mut self, now: Duration) {
        let over = self.watch.is_some_and(|end| now >= end);
        if !over || self.options.without == Some(VmGuard::Fence) {
            return;
        }
        for (vm, entry) in &mut self.ledger {
            if entry.is_leased && self.running.remove(vm) {
                entry.is_fenced = true;
            }
        }
    }
}

/// What is held may start something, or may not.
const fn node_goal(goal: VmGoal) -> NodeGoal {
    match goal {
        VmGoal::Gone => NodeGoal::Gone,
        VmGoal::Running | VmGoal::Paused | VmGoal::Stopped => NodeGoal::Running,
    }
}
