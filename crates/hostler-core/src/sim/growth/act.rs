//! The single acts of a manager: each one transaction, or one call. Between
//! any two the manager may die, or stand still and find all changed.

use super::cloud::{Answer, Call};
use super::manager::Manager;
use super::stage::Stage;
use super::store::Store;
use super::{Event, GrowthGuard, SECOND};
use crate::id::JobId;
use crate::node::Scheduling;
use crate::runner::demand::Failures;
use crate::runner::job::{Job, JobItem, JobKind, Stage as JobStage, WaitFor};
use crate::runner::{Reason, ReasonCode, RunnerId};

/// One thing to do.
#[derive(Clone, Debug, Hash)]
pub(super) enum Act {
    /// Write down what a pool is to have more and less of.
    Scale(Scaling),
    /// Call removals off.
    Keep(Vec<RunnerId>),
    /// Ask the provider for a runner of a job.
    Ask(JobId, usize),
    /// Write down that all requests of a job are made, or that it has ended.
    Advance(JobId, crate::runner::job::Stage),
    /// Close a node to new work, if it is empty.
    Mark(JobId, RunnerId),
    /// Write down that a machine is given back: there is no way back from here.
    Finish(JobId, RunnerId),
    /// Let a closed node go, and give its machine back.
    Close(JobId, RunnerId),
    /// Write down that a runner is gone.
    Forget(JobId, RunnerId),
    /// Give back a machine that nobody knows of.
    Sweep(RunnerId),
}

/// A change of a pool, decided when it had had so many.
#[derive(Clone, Debug, Hash)]
pub(super) struct Scaling {
    pub(super) pool: usize,
    pub(super) turn: u64,
    pub(super) failures: Failures,
    pub(super) add: u32,
    /// Idle ones, to be drained.
    pub(super) spare: Vec<RunnerId>,
    /// Failed ones, to be given back at once.
    pub(super) broken: Vec<RunnerId>,
}

impl Manager {
    /// Does one thing; says whether it changed anything.
    pub(super) fn act(&mut self, stage: &mut Stage, store: &mut Store, act: Act) -> bool {
        match act {
            Act::Scale(scaling) => scale(stage, store, &scaling),
            Act::Keep(them) => them.iter().filter(|id| keep(store, id)).count() > 0,
            Act::Ask(job, index) => self.ask(stage, store, job, index),
            Act::Advance(job, to) => {
                store.job_change(job, |job| job.stage = to);
                true
            }
            Act::Mark(job, id) => mark(store, job, &id),
            Act::Finish(job, id) => finish(stage, store, job, &id),
            Act::Close(job, id) => self.close(stage, store, job, id),
            Act::Forget(job, id) => forget(stage, store, job, &id),
            Act::Sweep(id) => {
                if let Some((node, _)) = store.node_of(&id) {
                    store.node_unregister(node, true, stage.wall());
                }
                self.call(stage, Call::Release(id))
            }
        }
    }

    fn call(&mut self, stage: &mut Stage, call: Call) -> bool {
        if self.under_way.contains(&call) {
            return false;
        }
        self.under_way.push(call.clone());
        let (manager, life) = (self.at, self.life);
        stage.after(
            50,
            2 * SECOND,
            Event::Call {
                manager,
                life,
                call,
            },
        );
        true
    }

    fn ask(&mut self, stage: &mut Stage, store: &Store, id: JobId, index: usize) -> bool {
        let Some((job, item)) = store
            .jobs
            .get(&id)
            .and_then(|job| Some((job, job.items.get(index)?)))
        else {
            return false;
        };
        let is_open = job.stage == JobStage::Asked && item.asked_at.is_none();
        if !is_open || item.gone_at.is_some() || store.removal(&item.id).is_some() {
            return false;
        }
        let number = u32::try_from(index).unwrap_or_default();
        let mut name = item.id.clone();
        if !stage.guards(GrowthGuard::DerivedNames) {
            let fresh = u128::from(stage.rng.next()) << 64 | u128::from(stage.rng.next());
            name = RunnerId::of_uuid(uuid::Uuid::from_u128(fresh));
        }
        let pool = store.pool_place(item);
        self.call(
            stage,
            Call::Create {
                id: name,
                pool,
                job: (id, number),
            },
        )
    }

    /// An empty node is let go, and its machine given back; work that came
    /// before its removal was final is waited for.
    fn close(&mut self, stage: &mut Stage, store: &mut Store, job: JobId, id: RunnerId) -> bool {
        let now = stage.wall();
        let Some(force) = store.jobs.get(&job).map(|job| job.force) else {
            return false;
        };
        let unguarded = !stage.guards(GrowthGuard::EmptyFirst);
        if let Some((node, _)) = store.node_of(&id).filter(|_| !unguarded)
            && !store.node_unregister(node, force, now)
        {
            return false;
        }
        let of_this = store.removal(&id).is_some_and(|(found, _)| found.id == job);
        of_this && self.call(stage, Call::Release(id))
    }

    /// The provider has answered, or it has not.
    pub(super) fn hear(&mut self, stage: &Stage, store: &mut Store, call: &Call, answer: Answer) {
        self.under_way.retain(|one| one != call);
        let now = stage.wall();
        let Call::Create {
            id,
            job: (job, index),
            ..
        } = call
        else {
            return;
        };
        store.job_change(*job, |job| {
            let Some(item) = job.items.get_mut(*index as usize) else {
                return;
            };
            if answer != Answer::Unknown {
                item.id.clone_from(id);
                item.asked_at.get_or_insert(now);
            }
            if answer == Answer::NoCapacity {
                item.reason = Some(Reason::new(ReasonCode::NoCapacity, "there is none to give"));
            }
        });
    }
}

/// Jobs for what was decided, unless the pool was changed since.
fn scale(stage: &mut Stage, store: &mut Store, scaling: &Scaling) -> bool {
    let now = stage.wall();
    let row = &mut store.pools[scaling.pool];
    if row.turn != scaling.turn {
        return false;
    }
    row.turn += 1;
    row.failures = scaling.failures;
    if scaling.add > 0 || !scaling.spare.is_empty() {
        row.scaled_at = Some(now);
    }
    let name = row.pool.name.clone();
    let base = format!("{name}/{}", scaling.turn);
    let job = |kind: JobKind, word: &str, force: bool| {
        let uuid = uuid::Uuid::new_v5(&uuid::Uuid::nil(), format!("{base}/{word}").as_bytes());
        new_job(JobId::from_uuid(uuid), kind, force, now)
    };
    let mut add = job(JobKind::Add, "add", false);
    let ids = (0..scaling.add).map(|index| Job::runner_id(add.id, index));
    add.items = ids.map(|id| JobItem::new(id, name.clone())).collect();
    let removals = [
        ("spare", &scaling.spare, false),
        ("broken", &scaling.broken, true),
    ];
    let mut jobs = vec![add];
    for (word, them, force) in removals {
        let mut removal = job(JobKind::Remove, word, force);
        let items = them.iter().filter(|id| store.removal(id).is_none());
        removal.items = items
            .map(|id| JobItem::new(id.clone(), name.clone()))
            .collect();
        jobs.push(removal);
    }
    jobs.retain(|job| !job.items.is_empty());
    store.jobs.extend(jobs.into_iter().map(|job| (job.id, job)));
    true
}

fn new_job(id: JobId, kind: JobKind, force: bool, now: crate::Timestamp) -> Job {
    Job {
        id,
        revision: 0,
        kind,
        wait_for: WaitFor::Ready,
        stage: match kind {
            JobKind::Add => JobStage::Asked,
            JobKind::Remove => JobStage::Standing,
        },
        requested_at: now,
        deadline: now + std::time::Duration::from_mins(25),
        asked_by: None,
        request_digest: None,
        worker: None,
        force,
        items: Vec::new(),
        reason: None,
        ended_at: None,
        late: false,
    }
}

/// A removal that has a way back is called off, and its node is open again.
fn keep(store: &mut Store, id: &RunnerId) -> bool {
    if store.is_final(id) {
        return false;
    }
    let Some(job) = store.removal(id).map(|(job, _)| job.id) else {
        return false;
    };
    store.job_change(job, |job| job.items.retain(|item| item.id != *id));
    let node = store.node_of(id).map(|(node, _)| node);
    if let Some(node) = node.and_then(|node| store.nodes.get_mut(&node)) {
        node.scheduling = Scheduling::Open;
    }
    true
}

/// A node takes no new work from now on, if it has none.
fn mark(store: &mut Store, job: JobId, id: &RunnerId) -> bool {
    let is_wanted = store.removal(id).is_some_and(|(found, _)| found.id == job);
    let Some((node, _)) = store.node_of(id).filter(|_| is_wanted) else {
        return false;
    };
    if let Some(node) = store.nodes.get_mut(&node) {
        node.scheduling = Scheduling::Draining;
    }
    true
}

/// From here on its removal is not called off, and its machine joins no more.
fn finish(stage: &Stage, store: &mut Store, job: JobId, id: &RunnerId) -> bool {
    let now = stage.wall();
    let is_item = |item: &&mut JobItem| item.id == *id && item.gone_at.is_none();
    let mut found = false;
    store.job_change(job, |job| {
        for item in job.items.iter_mut().filter(is_item) {
            item.drained_at.get_or_insert(now);
            found = true;
        }
    });
    found
}

/// A runner is gone: its removal and its addition are over.
fn forget(stage: &Stage, store: &mut Store, job: JobId, id: &RunnerId) -> bool {
    let now = stage.wall();
    if let Some((node, _)) = store.node_of(id) {
        store.node_unregister(node, true, now);
    }
    let added = store.runners().find(|(_, _, item)| item.id == *id);
    let added = added.map(|(job, _, _)| job.id);
    for job in added.into_iter().chain([job]) {
        store.job_change(job, |job| {
            for item in job.items.iter_mut().filter(|item| item.id == *id) {
                item.gone_at.get_or_insert(now);
            }
        });
    }
    true
}
