//! A database that is brought back from a copy: one row is lost, although its
//! machine runs. Nothing is done to the machine until somebody adopts it; then
//! it is told another goal, and has to obey.

use super::TROUBLE;
use super::control::Control;
use super::machine::Said;
use super::world::World;
use super::{SETTLE, VmGuard};
use crate::Generation;
use crate::id::NodeId;
use crate::vm::{Adoption, DiskOnLoss, VmFacts, VmFound, VmGoal, VmSeen, VmSeenState, vm_adoption};
use crate::workload::OnNodeLoss;

/// When nothing is on its way any more.
const FORGET: u64 = TROUBLE + SETTLE / 2;
/// How long the machine is left alone, in ticks.
const ALONE: u64 = 50;

impl World {
    /// Loses a row that is as wanted.
    pub(super) fn forget(&mut self) {
        if self.tick != FORGET {
            return;
        }
        let rows = self.control.rows.values();
        let settled =
            rows.filter(|row| row.seat.is_some() && goal_of(row.seen_now()) == Some(row.goal));
        let settled: Vec<VmFacts> = settled.copied().collect();
        if settled.is_empty() {
            return;
        }
        self.control.forgotten = self.rng.pick(&settled);
        if let Some(row) = self.control.forgotten {
            self.control.rows.remove(&row.id);
            self.note(&format!("{:?} is forgotten", row.id));
        }
    }

    /// Adopts what was forgotten, as a machine shows it.
    pub(super) fn adopt(&mut self, at: usize, said: &[Said]) {
        let alone = self.tick <= FORGET + ALONE;
        let wanted = self.control.forgotten.filter(|_| !alone).map(|row| row.id);
        let Some(word) = said.iter().find(|(vm, ..)| Some(*vm) == wanted) else {
            return;
        };
        let (node, loss) = (self.machines[at].id, self.machines[at].on_node_loss(word.0));
        let Some(row) = self.control.adoption(node, *word, loss) else {
            return;
        };
        self.note(&format!("adopted {row:?}"));
        self.control.forgotten = None;
        self.adopted = true;
        self.control.rows.insert(row.id, row);
        let other = if row.goal.is_active() {
            VmGoal::Stopped
        } else {
            VmGoal::Running
        };
        self.want(row.id, other);
    }
}

impl Control {
    /// The row of a machine that is known only by what its node says.
    fn adoption(
        &self,
        node: NodeId,
        (id, generation, state): Said,
        loss: OnNodeLoss,
    ) -> Option<VmFacts> {
        let known = (self.rows.contains_key(&id), self.graves.contains_key(&id));
        let goal = goal_of(Some(state))?;
        let found = VmFound { node, generation };
        let Adoption::Adopt(above) = vm_adoption(found, &[], known) else {
            return None;
        };
        let careless = self.options.without == Some(VmGuard::AdoptAbove);
        Some(VmFacts {
            id,
            goal,
            generation: if careless { Generation::FIRST } else { above },
            seat: Some(node),
            seen: None::<VmSeen>,
            on_node_loss: loss,
            disk_on_loss: DiskOnLoss::Keep,
            is_disk_lost: false,
            trashed_at: None,
        })
    }
}

/// The goal that a machine in this state has reached.
fn goal_of(seen: Option<VmSeenState>) -> Option<VmGoal> {
    match seen? {
        VmSeenState::Running => Some(VmGoal::Running),
        VmSeenState::Paused => Some(VmGoal::Paused),
        VmSeenState::Stopped => Some(VmGoal::Stopped),
        _ => None,
    }
}
