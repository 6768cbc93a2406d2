//! What the manager shows: made from the last snapshot and the jobs in memory,
//! at each request; the provider is asked nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hostler_core::Timestamp;
use hostler_core::id::JobId;
use hostler_core::runner::job::{Job, JobItem, JobKind};
use hostler_core::runner::{PoolName, RunnerFacts, RunnerId, RunnerPool, RunnerStatus, Verdict};
use hostler_wire::rest::{Runner, RunnerHost, RunnerJob, RunnerJobItem, RunnerPoolInfo};

use super::Manager;
use super::look::View;

/// A moment as the wire says it.
pub(crate) fn moment(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.ms()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl Manager {
    /// All runners, the oldest first, then by name.
    pub fn runners(&self) -> Vec<Runner> {
        let view = self.view();
        let seen = view.snapshot.runners.values();
        let mut runners: Vec<Runner> = seen.map(|facts| self.runner_of(facts, &view)).collect();
        runners.extend(self.unseen(&view));
        runners.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        runners
    }

    /// One runner.
    pub fn runner(&self, id: &RunnerId) -> Option<Runner> {
        let view = self.view();
        if let Some(facts) = view.snapshot.runners.get(id) {
            return Some(self.runner_of(facts, &view));
        }
        let job = self.0.board.get(self.0.board.added_by(id)?)?;
        let item = job.items.iter().find(|item| item.id == *id)?;
        self.runner_unseen(&job, item, &view)
    }

    /// How many runners a pool has or is being asked for.
    pub(super) fn pool_size(&self, pool: &PoolName) -> usize {
        let view = self.view();
        let facts = view.snapshot.runners.values();
        let seen = facts.filter(|facts| facts.pool == *pool && !facts.is_terminating);
        seen.count()
            + self
                .unseen(&view)
                .filter(|runner| runner.pool == *pool && runner.status != RunnerStatus::Failed)
                .count()
    }

    /// Runners of jobs that are not in the snapshot: not yet, or no longer.
    fn unseen(&self, view: &View) -> impl Iterator<Item = Runner> {
        let mut unseen = Vec::new();
        for job in self.0.board.all() {
            if job.kind == JobKind::Add && !job.is_rolled_back() {
                let missing = job
                    .items
                    .iter()
                    .filter(|item| !view.snapshot.runners.contains_key(&item.id));
                unseen.extend(missing.filter_map(|item| self.runner_unseen(&job, item, view)));
            }
        }
        unseen.into_iter()
    }

    fn runner_unseen(&self, job: &Job, item: &JobItem, view: &View) -> Option<Runner> {
        let is_recent = |gone: Timestamp| view.now < gone + self.rules().keep_lost;
        let status = match item.gone_at {
            None if job.is_rolled_back() => return None,
            None => RunnerStatus::Pending,
            Some(gone) if item.is_lost() && is_recent(gone) => RunnerStatus::Failed,
            Some(_) => return None,
        };
        let mut metadata = BTreeMap::new();
        metadata.insert("placeholder_pod".to_owned(), item.id.to_string());
        metadata.extend(item.node.clone().map(|node| ("node_name".to_owned(), node)));
        Some(Runner {
            id: item.id.clone(),
            status,
            metadata,
            pool: item.pool.clone(),
            created_at: moment(job.requested_at),
            job_id: Some(job.id),
            reason: item.reason.clone(),
            reasons: Vec::new(),
        })
    }

    fn runner_of(&self, facts: &RunnerFacts, view: &View) -> Runner {
        let Verdict { status, reason } = self.verdict(facts, view);
        Runner {
            id: facts.id.clone(),
            status,
            metadata: metadata(facts),
            pool: facts.pool.clone(),
            created_at: moment(facts.created),
            job_id: facts.mark.map(|mark| mark.job),
            reason,
            reasons: facts.reasons.clone(),
        }
    }

    /// All jobs, the oldest first.
    pub fn jobs(&self) -> Vec<RunnerJob> {
        let view = self.view();
        let mut jobs = self.0.board.all();
        jobs.sort_by_key(|job| (job.requested_at, job.id));
        jobs.iter().map(|job| self.job_shown(job, &view)).collect()
    }

    /// One job.
    pub fn job_by_id(&self, id: JobId) -> Option<RunnerJob> {
        let job = self.0.board.get(id)?;
        Some(self.job_shown(&job, &self.view()))
    }

    fn job_shown(&self, job: &Arc<Job>, view: &View) -> RunnerJob {
        let count = |is: fn(&JobItem) -> bool| job.items.iter().filter(|item| is(item)).count();
        let ready_count = count(|item| item.ready_at.is_some());
        let all_ready = ready_count == job.items.len();
        let last_ready = job.items.iter().filter_map(|item| item.ready_at).max();
        RunnerJob {
            job_id: job.id,
            kind: job.kind,
            status: job.state(),
            instances: job.items.len(),
            scheduled_count: count(|item| item.scheduled_at.is_some()),
            ready_count,
            gone_count: count(|item| item.gone_at.is_some()),
            runners: job
                .items
                .iter()
                .map(|item| self.item_shown(item, view))
                .collect(),
            created_at: moment(job.requested_at),
            deadline: moment(job.deadline),
            ready_at: last_ready.filter(|_| all_ready).map(moment),
            ended_at: job.ended_at.map(moment),
            late: job.late,
            reason: job.reason.clone(),
            asked_by: job.asked_by.clone(),
        }
    }

    fn item_shown(&self, item: &JobItem, view: &View) -> RunnerJobItem {
        let seen = view.snapshot.runners.get(&item.id);
        let status = match seen {
            Some(facts) => self.verdict(facts, view).status.as_str(),
            None if item.gone_at.is_some() => "gone",
            None => RunnerStatus::Pending.as_str(),
        };
        RunnerJobItem {
            id: item.id.clone(),
            status: status.to_owned(),
            pool: item.pool.clone(),
            node_name: item.node.clone(),
            scheduled_at: item.scheduled_at.map(moment),
            ready_at: item.ready_at.map(moment),
            gone_at: item.gone_at.map(moment),
            reason: item.reason.clone(),
        }
    }

    /// Machines that suit a pool, managed or not, by name.
    pub fn hosts(&self) -> Vec<RunnerHost> {
        let snapshot = self.snapshot();
        let mut hosts: Vec<RunnerHost> = snapshot
            .hosts
            .iter()
            .map(|host| RunnerHost {
                name: host.machine.name.clone(),
                internal_ips: host.machine.internal_ips.clone(),
                ready: host.machine.is_ready,
                cordoned: host.machine.is_cordoned,
                managed: !host.runners.is_empty(),
                runners: host.runners.clone(),
                runner_pod: host.program.clone(),
            })
            .collect();
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        hosts
    }

    /// All pools, the default one first.
    pub fn pools(&self) -> Vec<RunnerPoolInfo> {
        let runners = self.runners();
        let pools = self.0.parts.pools.iter();
        pools.map(|pool| self.pool_shown(pool, &runners)).collect()
    }

    fn pool_shown(&self, pool: &RunnerPool, runners: &[Runner]) -> RunnerPoolInfo {
        let now = self.now();
        let bounds = pool.bounds_at(now);
        let rest = self.0.rests.of(&pool.name, now);
        let mut counts = BTreeMap::new();
        for runner in runners.iter().filter(|runner| runner.pool == pool.name) {
            *counts.entry(runner.status.as_str().to_owned()).or_default() += 1;
        }
        let taint = |taint: &hostler_core::runner::Taint| {
            format!("{}={}:{}", taint.key, taint.value, taint.effect)
        };
        RunnerPoolInfo {
            name: pool.name.clone(),
            selector: pool.selector.clone(),
            taints: pool.taints.iter().map(taint).collect(),
            instance_types: pool.instance_types.clone(),
            zones: pool.zones.clone(),
            arch: pool.arch.map(|arch| arch.as_str().to_owned()),
            spot: pool.spot,
            min: bounds.min,
            max: bounds.max,
            warm: bounds.warm,
            hourly_price_micros: pool.price_micros,
            fallback: pool.fallback.clone(),
            runners: counts,
            resting_until: rest.as_ref().map(|(rest, _)| moment(rest.until)),
            reason: rest.and_then(|(_, reason)| reason),
        }
    }

    /// Brings the gauges up to date.
    pub fn measure(&self) {
        for pool in self.pools() {
            for status in RunnerStatus::ALL {
                let count = pool
                    .runners
                    .get(status.as_str())
                    .copied()
                    .unwrap_or_default();
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let labels = [
                    ("pool", pool.name.to_string()),
                    ("status", status.as_str().to_owned()),
                ];
                metrics::gauge!("hostler_runners", &labels).set(count);
            }
        }
        metrics::gauge!("hostler_runner_leader").set(f64::from(u8::from(self.leads())));
    }

    /// What hinders the manager, one sentence each; empty when it is ready.
    pub fn problems(&self) -> Vec<(&'static str, Option<String>)> {
        let snapshot = self.snapshot();
        let loaded = *self.0.is_loaded.borrow();
        let book = (!loaded).then(|| "the book of jobs has not been read yet".to_owned());
        let synced = (!snapshot.is_synced).then(|| "not everything was listed yet".to_owned());
        let provider = snapshot
            .problem
            .as_ref()
            .map(ToString::to_string)
            .or(synced);
        let lacks = (!snapshot.lacks.is_empty()).then(|| snapshot.lacks.join("; "));
        vec![("jobs", book), ("provider", provider), ("rights", lacks)]
    }

    /// Checks all that the provider needs, asking it anew.
    pub async fn doctor(&self) -> Vec<crate::provider::Check> {
        self.0.parts.provider.check(&self.0.parts.pools).await
    }
}

/// Each member once it is known; never an empty one.
fn metadata(facts: &RunnerFacts) -> BTreeMap<String, String> {
    let mut metadata = facts.extra.clone();
    let mut add = |key: &str, value: Option<&str>| {
        let value = value.filter(|value| !value.is_empty());
        metadata.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    };
    let machine = facts.machine.as_ref();
    let ips = machine
        .map(|machine| machine.internal_ips.join(","))
        .unwrap_or_default();
    add("placeholder_pod", Some(facts.id.as_str()));
    add("node_name", machine.map(|machine| machine.name.as_str()));
    add("node_internal_ip", ips.split(',').next());
    add(
        "node_internal_ips",
        ips.contains(',').then_some(ips.as_str()),
    );
    add("runner_pod", facts.program.name.as_deref());
    add("terminating", facts.is_terminating.then_some("true"));
    metadata
}
