//! From decisions to jobs and events. A job's id follows from its pool and the
//! pool's turn, so that a decision is carried out once, whoever makes it.

use std::time::Duration;

use hostler_core::id::JobId;
use hostler_core::runner::RunnerId;
use hostler_core::runner::demand::{Act, Decision, DemandPlan, Why};
use hostler_core::runner::job::{Job, JobItem, JobKind, Stage, WaitFor};
use hostler_store::{By, Fence, NewEvent, PoolRow, Scaled, Scaling as Change};
use serde_json::json;
use uuid::Uuid;

use super::look::Look;
use super::{Scaling, ScalingError};

/// The space of ids that follow from pools and their turns.
const TURNS: Uuid = Uuid::from_u128(0x2f8c_91d0_54e7_5b3a_9c16_e07d_a4b2_6853);
/// How long work has to leave a machine that is not needed.
const LEAVE: Duration = Duration::from_mins(10);

impl Scaling {
    /// Writes down what was decided; how much that was.
    pub(super) async fn carry_out(
        &mut self,
        look: &Look,
        plan: &DemandPlan,
        fence: &Fence,
    ) -> Result<usize, ScalingError> {
        let mut done = self.keep(look, plan).await?;
        for (name, failures) in &plan.failures {
            let row = look.row(name);
            let mut change = Change {
                pool: name.clone(),
                turn: row.turn,
                failures: *failures,
                moves: false,
                jobs: Vec::new(),
                events: self.waits(name, plan),
            };
            for decision in plan.decisions.iter().filter(|one| one.pool == *name) {
                self.decide(look, &row, decision, &mut change);
            }
            let is_news = !change.jobs.is_empty() || !change.events.is_empty();
            if !is_news && change.failures == row.failures {
                continue;
            }
            let by = By::new("hostler", look.now);
            let store = &self.app.store;
            let scaled = store.runner_pool_scale(&by, change, Some(fence)).await?;
            done += usize::from(scaled == Scaled::Written);
        }
        self.tell_unmet(look, plan).await?;
        Ok(done)
    }

    async fn keep(&self, look: &Look, plan: &DemandPlan) -> Result<usize, ScalingError> {
        let by = By::new("hostler", look.now);
        let mut done = 0;
        for decision in &plan.decisions {
            let Act::Keep(them) = &decision.act else {
                continue;
            };
            for id in them {
                let why = decision.why.to_string();
                done += usize::from(self.app.store.runner_keep(&by, id, &why).await?);
            }
        }
        if done > 0 {
            self.app.passes.wake_all();
        }
        Ok(done)
    }

    fn decide(&self, look: &Look, row: &PoolRow, decision: &Decision, change: &mut Change) {
        let pool = &decision.pool;
        let is_need = !matches!(
            decision.why,
            Why::NeverJoined { .. } | Why::Lost { .. } | Why::Failed
        );
        let (job, text) = match &decision.act {
            Act::Add(number) => {
                let job = self.add(look, row, *number);
                (job, format!("pool {pool} is given {number} more"))
            }
            Act::Remove(them) => {
                let mut job = look.removal_of(row, &decision.why, them);
                job.force = !is_need;
                let number = job.items.len();
                (job, format!("pool {pool} gives {number} back"))
            }
            Act::Keep(_) | Act::Nothing => return,
        };
        if job.items.is_empty() {
            return;
        }
        change.moves |= is_need;
        let kind = if job.kind == JobKind::Add {
            "pool.grows"
        } else {
            "pool.shrinks"
        };
        change.events.push(told(kind, decision, &text, &job.items));
        change.jobs.push(job);
    }

    fn add(&self, look: &Look, row: &PoolRow, number: u32) -> Job {
        let mut job = look.job(row, "add", JobKind::Add);
        let pools = self
            .app
            .runners
            .iter()
            .flat_map(|runners| &runners.options.pools);
        let mut within = pools
            .filter(|pool| pool.name == row.name)
            .map(|pool| pool.boot_within);
        job.deadline = look.now + within.next().unwrap_or(LEAVE);
        let ids = (0..number).map(|index| Job::runner_id(job.id, index));
        job.items = ids.map(|id| JobItem::new(id, row.name.clone())).collect();
        job
    }

    /// Why a pool does nothing although something is wanted, when that is new.
    fn waits(&mut self, pool: &hostler_core::runner::PoolName, plan: &DemandPlan) -> Vec<NewEvent> {
        let mut here = plan.decisions.iter().filter(|one| one.pool == *pool);
        let Some(decision) = here.find(|one| one.act == Act::Nothing) else {
            self.memory.held_back.remove(pool);
            return Vec::new();
        };
        let code = decision.why.code();
        let before = self.memory.held_back.insert(pool.clone(), code);
        if before == Some(code) {
            return Vec::new();
        }
        let text = format!("pool {pool} is given no more");
        vec![told("pool.waits", decision, &text, &[])]
    }

    /// Why no pool helps some work, when that is new.
    async fn tell_unmet(&mut self, look: &Look, plan: &DemandPlan) -> Result<(), ScalingError> {
        let by = By::new("hostler", look.now);
        let mut codes = std::collections::BTreeSet::new();
        for (workload, why) in &plan.unmet {
            let is_first = codes.insert(why.code()) && !self.memory.unmet.contains(why.code());
            if is_first {
                let event = NewEvent {
                    kind: "pool.no-help".to_owned(),
                    project: None,
                    subject: Some(workload.to_string()),
                    text: format!("no pool helps workload {workload}: {why}"),
                    data: json!({"why": why.code()}),
                };
                self.app.store.event_note(&by, event).await?;
            }
        }
        self.memory.unmet = codes;
        Ok(())
    }
}

fn told(kind: &str, decision: &Decision, text: &str, items: &[JobItem]) -> NewEvent {
    let why = &decision.why;
    let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
    tracing::info!(pool = %decision.pool, why = why.code(), "{text}: {why}");
    NewEvent {
        kind: kind.to_owned(),
        project: None,
        subject: Some(decision.pool.to_string()),
        text: format!("{text}: {why}"),
        data: json!({"why": why.code(), "runners": ids}),
    }
}

impl Look {
    fn job(&self, row: &PoolRow, word: &str, kind: JobKind) -> Job {
        let name = format!("{}/{}/{word}", row.name, row.turn);
        Job {
            id: JobId::from_uuid(Uuid::new_v5(&TURNS, name.as_bytes())),
            revision: 0,
            kind,
            wait_for: WaitFor::Ready,
            stage: match kind {
                JobKind::Add => Stage::Asked,
                JobKind::Remove => Stage::Standing,
            },
            requested_at: self.now,
            deadline: self.now + LEAVE,
            asked_by: Some("hostler".to_owned()),
            request_digest: None,
            worker: None,
            force: false,
            items: Vec::new(),
            reason: None,
            ended_at: None,
            late: false,
        }
    }

    /// A runner that nobody has seen may still come: its removal waits for it.
    fn removal_of(&self, row: &PoolRow, why: &Why, them: &[RunnerId]) -> Job {
        let mut job = self.job(row, why.code(), JobKind::Remove);
        let wanted = them.iter().filter(|id| !self.is_gone(id));
        let item = |id: &RunnerId| JobItem {
            asked_at: (!self.snapshot.runners.contains_key(id)).then_some(self.now),
            ..JobItem::new(id.clone(), row.name.clone())
        };
        job.items = wanted.map(item).collect();
        job
    }

    fn is_gone(&self, id: &RunnerId) -> bool {
        let adds = self.jobs.iter().filter(|job| job.kind == JobKind::Add);
        let mut items = adds.flat_map(|job| &job.items);
        !items.any(|item| item.id == *id && item.gone_at.is_none())
    }
}
