//! A control plane: a pass reads everything, asks the decisions, and plans
//! single acts that are done a moment later, each by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use super::act::{Act, Scaling};
use super::cloud::{Call, Cloud, OWNER};
use super::look::{Look, Shown, UNLISTED};
use super::stage::{Note, Stage};
use super::store::Store;
use super::{Event, GrowthGuard, SECOND};
use crate::node::Scheduling;
use crate::runner::RunnerId;
use crate::runner::demand::{Act as Demand, DemandPlan, Why, plan};
use crate::runner::job::{
    Job, JobItem, JobKind, JobRules, JobStep, Observation, Sight, Stage as JobStage, job_observe,
    job_step,
};
use crate::runner::removal::{Drain, RemovalSight, RemovalStep, removal_step};
use crate::runner::sweep::{Listed, sweep};

/// Between two sweeps.
pub(super) const SWEEP: Duration = Duration::from_mins(1);

/// A control plane.
#[derive(Debug)]
pub(super) struct Manager {
    pub(super) at: usize,
    pub(super) life: u32,
    pub(super) is_up: bool,
    pub(super) stalled_until: u64,
    /// Calls that were not answered yet.
    pub(super) under_way: Vec<Call>,
    shown: Option<Shown>,
}

impl Manager {
    pub(super) fn new(at: usize) -> Self {
        Self {
            at,
            life: 0,
            is_up: true,
            stalled_until: 0,
            under_way: Vec::new(),
            shown: None,
        }
    }

    /// It dies, and forgets all that it has not written down.
    pub(super) fn die(&mut self) {
        let life = self.life + 1;
        *self = Self::new(self.at);
        (self.life, self.is_up) = (life, false);
    }

    /// One look at everything.
    pub(super) fn pass(&mut self, stage: &mut Stage, store: &mut Store, cloud: &Cloud) {
        let is_synced = !stage.trouble(15);
        if is_synced {
            let list = cloud.list(stage.now).into_iter();
            self.shown = Some(list.map(|one| (one.id.clone(), one)).collect());
        }
        if let Some(shown) = self.shown.take() {
            observe(store, &shown, is_synced, stage.wall());
            let mut acts = Vec::new();
            let now = stage.wall();
            let look = Look {
                store,
                shown: &shown,
                now,
                is_synced,
            };
            let plan = plan(&look.facts(stage));
            note(stage, &plan);
            decided(&look, &plan, &mut acts);
            for job in store.jobs.values() {
                steps(stage, &look, job, &mut acts);
            }
            let swept = swept(stage, store, &shown);
            acts.extend(swept.into_iter().map(Act::Sweep));
            self.plan(stage, acts);
            prune(store, now);
            self.shown = Some(shown);
        }
        let (manager, life) = (self.at, self.life);
        stage.after(6 * SECOND, 10 * SECOND, Event::Pass { manager, life });
    }

    fn plan(&self, stage: &mut Stage, acts: Vec<Act>) {
        let (manager, life) = (self.at, self.life);
        for act in acts {
            stage.after(1, 3 * SECOND, Event::Act { manager, life, act });
        }
    }
}

/// The next steps of a job.
fn steps(stage: &Stage, look: &Look<'_>, job: &Job, acts: &mut Vec<Act>) {
    match job.kind {
        JobKind::Add => added(look, job, acts),
        JobKind::Remove => {
            let open = job.items.iter().filter(|item| item.gone_at.is_none());
            acts.extend(open.filter_map(|item| removed(stage, look, job, item)));
        }
    }
}

/// Writes down what the list says of the runners of jobs.
fn observe(store: &mut Store, shown: &Shown, is_synced: bool, now: crate::Timestamp) {
    let mut news = Vec::new();
    let look = Look {
        store,
        shown,
        now,
        is_synced,
    };
    for (job, index, item) in store.runners() {
        let seen = look.verdict(item, store.pool_place(item));
        let is_unwanted = store.removal(&item.id).is_some();
        if seen.is_none() && (!is_synced || is_unwanted) {
            continue;
        }
        let seen = seen.as_ref().map(|(facts, verdict)| (facts, verdict));
        let observation = Observation { seen, is_unwanted };
        let (changed, _) = job_observe(job, item, &observation, UNLISTED, now);
        if changed != *item {
            news.push((job.id, index, changed));
        }
    }
    for (job, index, item) in news {
        store.job_change(job, |job| job.items[index] = item);
    }
}

fn note(stage: &mut Stage, plan: &DemandPlan) {
    for (at, decision) in plan.decisions.iter().enumerate() {
        stage.note(Note::Decided(
            at,
            (&decision.act).into(),
            decision.why.code(),
        ));
    }
}

/// What was decided, as one change of each pool.
fn decided(look: &Look<'_>, plan: &DemandPlan, acts: &mut Vec<Act>) {
    for (pool, row) in look.store.pools.iter().enumerate() {
        let name = &row.pool.name;
        let failures = plan.failures.iter().find(|(of, _)| of == name);
        let mut scaling = Scaling {
            pool,
            turn: row.turn,
            failures: failures.map_or(row.failures, |(_, failures)| *failures),
            add: 0,
            spare: Vec::new(),
            broken: Vec::new(),
        };
        for decision in plan.decisions.iter().filter(|one| one.pool == *name) {
            match (&decision.act, &decision.why) {
                (Demand::Add(number), _) => scaling.add += number,
                (Demand::Remove(them), Why::Idle { .. } | Why::AboveMax { .. }) => {
                    scaling.spare.extend(them.iter().cloned());
                }
                (Demand::Remove(them), _) => scaling.broken.extend(them.iter().cloned()),
                (Demand::Keep(them), _) => acts.push(Act::Keep(them.clone())),
                (Demand::Nothing, _) => (),
            }
        }
        let moves = scaling.add > 0 || !scaling.spare.is_empty() || !scaling.broken.is_empty();
        if moves || scaling.failures != row.failures {
            acts.push(Act::Scale(scaling));
        }
    }
}

fn added(look: &Look<'_>, job: &Job, acts: &mut Vec<Act>) {
    let sight = |item: &JobItem| Sight {
        standing_in: look.shown.get(&item.id).map(|_| item.pool.clone()),
        is_there: look.shown.contains_key(&item.id),
        other_pool: None,
    };
    let sights: Vec<Sight> = job.items.iter().map(sight).collect();
    match job_step(job, &sights, &JobRules::default(), look.now) {
        JobStep::Ask(which) => {
            let wanted = |index: &usize| look.store.removal(&job.items[*index].id).is_none();
            let which = which.into_iter().filter(wanted);
            acts.extend(which.map(|index| Act::Ask(job.id, index)));
        }
        JobStep::Stand => acts.push(Act::Advance(job.id, JobStage::Standing)),
        JobStep::End(end, _) if job.stage != JobStage::Ended(end) => {
            acts.push(Act::Advance(job.id, JobStage::Ended(end)));
        }
        _ => (),
    }
}

fn removed(stage: &Stage, look: &Look<'_>, job: &Job, item: &JobItem) -> Option<Act> {
    let listed = look.shown.get(&item.id);
    let is_young = look.now < job.requested_at + UNLISTED;
    let node = look.store.node_of(&item.id);
    let seated = node.map(|(node, _)| look.store.seated(node).count());
    let sight = RemovalSight {
        is_there: listed.is_some() || is_young || !look.is_synced,
        is_terminating: listed.is_some_and(|one| one.is_terminating),
        is_cordoned: None,
        drain: match (node, seated) {
            (Some((_, node)), _) if node.scheduling == Scheduling::Open => Drain::Open,
            (Some(_), Some(0)) => Drain::Empty,
            (Some(_), Some(number)) => Drain::Leaving(u32::try_from(number).unwrap_or(u32::MAX)),
            _ => Drain::NoNode,
        },
    };
    match removal_step(item, &sight, job.force, job.deadline, look.now) {
        RemovalStep::Mark => Some(Act::Mark(job.id, item.id.clone())),
        RemovalStep::Cordon | RemovalStep::Release => {
            let is_final = item.drained_at.is_some() || !stage.guards(GrowthGuard::FinalFirst);
            let (job, id) = (job.id, item.id.clone());
            Some(if is_final {
                Act::Close(job, id)
            } else {
                Act::Finish(job, id)
            })
        }
        RemovalStep::Forget => Some(Act::Forget(job.id, item.id.clone())),
        RemovalStep::GiveUp => Some(Act::Keep(vec![item.id.clone()])),
        RemovalStep::Drain | RemovalStep::Confirm => None,
    }
}

/// One look for machines that nobody knows of.
fn swept(stage: &Stage, store: &mut Store, shown: &Shown) -> Vec<RunnerId> {
    let known: BTreeSet<RunnerId> = store
        .runners()
        .map(|(_, _, item)| item.id.clone())
        .collect();
    let unguarded = !stage.guards(GrowthGuard::OwnershipTag);
    let listed: Vec<Listed> = shown
        .values()
        .cloned()
        .map(|mut one| {
            if unguarded {
                one.owner = Some(OWNER.to_owned());
            }
            one
        })
        .collect();
    let found = sweep(
        &listed,
        OWNER,
        &known,
        (&store.suspects, SWEEP),
        stage.wall(),
    );
    store.suspects = found.suspects;
    found.release
}

/// Jobs of which nothing is left are thrown away after a while.
fn prune(store: &mut Store, now: crate::Timestamp) {
    let keep = Duration::from_mins(10);
    let over = |item: &JobItem| item.gone_at.is_some_and(|at| now >= at + keep);
    store.jobs.retain(|_, job| !job.items.iter().all(over));
}
