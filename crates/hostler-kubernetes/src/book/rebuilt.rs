//! Jobs made out from the labels of their pods, where their record is gone or
//! could never be written. How many were asked for is not on the pods: what is
//! missing between them is taken to be gone, so that nothing is ever asked for
//! again that somebody has removed.

use std::collections::BTreeMap;

use hostler_core::runner::job::{Job, JobItem, JobKind, Stage, WaitFor};
use hostler_core::runner::{Mark, Reason, ReasonCode};

use crate::watch::{Key, Placeholder, World};

/// A job's pods by index.
type Pods<'a> = BTreeMap<u32, (&'a Key, &'a Placeholder, Mark)>;

/// The jobs of this manager's pods.
pub(super) fn jobs(world: &World, namespace: &str, manager: &str) -> Vec<Job> {
    let mut found: BTreeMap<_, Pods<'_>> = BTreeMap::new();
    for (key, one) in &world.placeholders.rows {
        let is_own = key.0 == namespace && one.manager.as_deref() == Some(manager);
        if let Some(mark) = one.mark.filter(|_| is_own && !one.is_terminating) {
            found
                .entry(mark.job)
                .or_default()
                .insert(mark.index, (key, one, mark));
        }
    }
    found.values().filter_map(job).collect()
}

fn job(pods: &Pods<'_>) -> Option<Job> {
    let (last, (_, _, mark)) = pods.last_key_value()?;
    Some(Job {
        id: mark.job,
        revision: 0,
        kind: JobKind::Add,
        wait_for: WaitFor::default(),
        stage: Stage::Standing,
        requested_at: mark.requested_at,
        deadline: mark.deadline,
        asked_by: None,
        request_digest: None,
        worker: None,
        force: false,
        items: (0..=*last)
            .map(|index| item(*mark, index, pods))
            .collect::<Option<_>>()?,
        reason: None,
        ended_at: None,
        late: false,
    })
}

fn item(mark: Mark, index: u32, pods: &Pods<'_>) -> Option<JobItem> {
    let id = Job::runner_id(mark.job, index);
    let any = pods.values().find_map(|(_, one, _)| one.pool.clone())?;
    let asked_at = Some(mark.requested_at);
    let Some((_, one, _)) = pods.get(&index) else {
        let text = "its record is gone, and so is it";
        return Some(JobItem {
            asked_at,
            gone_at: asked_at,
            reason: Some(Reason::new(ReasonCode::Removed, text)),
            ..JobItem::new(id, any)
        });
    };
    let pool = one.pool.clone().unwrap_or(any);
    Some(JobItem {
        asked_at,
        ..JobItem::new(id, pool)
    })
}
