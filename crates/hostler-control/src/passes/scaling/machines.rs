//! From jobs, what the provider shows and the fleet to where each machine of a
//! pool is in its life. Core answers that; here is only gathered what it asks.

use hostler_core::node::{Availability, availability};
use hostler_core::runner::demand::{Life, Machine, NodeSight, Removal, Sight, life};
use hostler_core::runner::job::{Job, JobItem, JobKind};
use hostler_core::runner::{
    Membership, ReasonCode, RunnerId, RunnerStatus, StatusRules, runner_status,
};
use hostler_runners::manager::CALL;
use hostler_store::{NodeRow, PoolRow};

use super::look::Look;
use crate::runners::Runners;
use crate::state::App;

impl Look {
    /// The machines of a pool: those that jobs asked for and that are not known
    /// to be gone; and, once, those of a job that was refused as a whole, so
    /// that its failure counts.
    pub(super) fn machines(&self, app: &App, runners: &Runners, pool: &PoolRow) -> Vec<Machine> {
        let adds = self.jobs.iter().filter(|job| job.kind == JobKind::Add);
        let items = adds.flat_map(|job| job.items.iter().map(move |item| (job, item)));
        let here = items.filter(|(_, item)| item.pool == pool.name);
        here.filter_map(|(job, item)| match item.gone_at {
            None => Some(self.machine(app, runners, (job, item))),
            Some(_) => ghost(job, item, pool),
        })
        .collect()
    }

    fn machine(&self, app: &App, runners: &Runners, (job, item): (&Job, &JobItem)) -> Machine {
        let node = self.nodes.get(&item.id);
        // One that has registered and was never heard is still on its way, and
        // counts towards the bound on those.
        let heard = node.filter(|row| row.facts.last_heard.is_some());
        let joined = heard.map(|row| row.created_at).or(item.ready_at);
        Machine {
            id: item.id.clone(),
            life: life(&Sight {
                removal: self.removal(&item.id),
                has_failed: self.has_failed(runners, item),
                is_missing: self.is_missing(runners, item),
                node: node.and_then(|row| self.sight(app, row)),
            }),
            asked_at: item.asked_at.unwrap_or(job.requested_at),
            joined_at: joined,
        }
    }

    /// How far the removal of a runner is, if there is one.
    pub(super) fn removal(&self, id: &RunnerId) -> Option<Removal> {
        let open = |job: &&Job| job.kind == JobKind::Remove && !job.has_ended();
        let removals = self.jobs.iter().filter(open);
        let mut items = removals.flat_map(|job| job.items.iter().map(move |item| (job, item)));
        let (job, item) = items.find(|(_, item)| item.id == *id && item.gone_at.is_none())?;
        let is_final = job.force || item.drained_at.is_some();
        Some(if is_final {
            Removal::Final
        } else {
            Removal::Begun
        })
    }

    /// A node that was never heard is none yet.
    fn sight(&self, app: &App, row: &NodeRow) -> Option<NodeSight> {
        let facts = &row.facts;
        let heard = facts.last_heard?;
        let is_offline =
            availability(facts.last_heard, self.now, &app.timing) == Availability::Offline;
        Some(NodeSight {
            silent_since: is_offline.then_some(heard),
            scheduling: facts.scheduling,
            seated: self.loads.get(&facts.id).copied().unwrap_or_default(),
            idle_since: self.idle_since.get(&facts.id).copied().unwrap_or(self.now),
        })
    }

    fn has_failed(&self, runners: &Runners, item: &JobItem) -> bool {
        let code = item.reason.as_ref().map(|reason| reason.code);
        let refused = code.is_some_and(ReasonCode::says_no_capacity);
        let Some(facts) = self.snapshot.runners.get(&item.id) else {
            return refused;
        };
        let heard = self
            .nodes
            .get(&item.id)
            .and_then(|row| row.facts.last_heard);
        let membership = heard.map_or(Membership::Awaited, |_| Membership::Registered);
        let pools = &runners.options.pools;
        let pool = pools.iter().find(|pool| pool.name == item.pool);
        let rules = pool.map(|pool| StatusRules {
            register_within: pool.boot_within,
            ..StatusRules::default()
        });
        let verdict = runner_status(facts, membership, &rules.unwrap_or_default(), self.now);
        refused || verdict.status == RunnerStatus::Failed
    }

    /// Whether a runner that was asked for is surely not there: its provider
    /// shows all it has and not this one, or says that its machine is gone.
    fn is_missing(&self, runners: &Runners, item: &JobItem) -> bool {
        let unlisted = runners.options.provider.info().lag + CALL;
        let listed = self.snapshot.runners.get(&item.id);
        let is_old = item.asked_at.is_some_and(|at| self.now >= at + unlisted);
        match listed {
            None => is_old,
            Some(facts) => facts.is_lost() || (is_old && facts.is_terminating),
        }
    }
}

/// A machine of a refused job, for the failures of its pool to count once.
fn ghost(job: &Job, item: &JobItem, pool: &PoolRow) -> Option<Machine> {
    let last = pool.failures.last;
    let is_new = last.is_none_or(|last| job.requested_at > last);
    (job.is_rolled_back() && is_new).then(|| Machine {
        id: item.id.clone(),
        life: Life::Failed,
        asked_at: job.requested_at,
        joined_at: None,
    })
}
