//! Asking for machines, and giving them back: send, then wait for the job.

use std::time::Duration;

use anyhow::{Result, bail};
use hostler_core::id::JobId;
use hostler_core::runner::job::JobState;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{RunnerJob, RunnersAdd, RunnersRemove};

use crate::output::Output;

const LOOK: Duration = Duration::from_millis(500);

/// `hostler runners add`.
pub(super) async fn add(
    (count, pool, dry_run): (u32, Option<String>, bool),
    detach: bool,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let body = RunnersAdd {
        instances: Some(i64::from(count)),
        pool,
        dry_run,
    };
    let added = client.runners_add(&body, &key()).await?;
    output.line(&added, |added| match added.job_id {
        Some(job) => format!("job {job}: {} runners asked for", added.instances),
        None => format!("{} runners would be asked for", added.instances),
    })?;
    match added.job_id {
        Some(job) if !detach => wait(job, client, output).await,
        _ => Ok(()),
    }
}

/// What to remove.
pub(super) fn removal(
    ids: Vec<String>,
    count: Option<u32>,
    force: bool,
    dry_run: bool,
) -> RunnersRemove {
    RunnersRemove {
        instances: count.map(i64::from),
        runner_ids: (!ids.is_empty()).then_some(ids),
        force,
        dry_run,
        ..RunnersRemove::default()
    }
}

/// `hostler runners rm`.
pub(super) async fn remove(
    body: &RunnersRemove,
    detach: bool,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let removed = client.runners_remove(body, &key()).await?;
    output.line(&removed, |removed| {
        let ids: Vec<&str> = removed
            .pod_names
            .iter()
            .map(hostler_core::runner::RunnerId::as_str)
            .collect();
        format!("{}: {}", removed.message, ids.join(" "))
    })?;
    match removed.job_id {
        Some(job) if !detach => wait(job, client, output).await,
        _ => Ok(()),
    }
}

fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

async fn wait(id: JobId, client: &ControlClient, output: Output) -> Result<()> {
    let progress = output.progress(format!("Waiting for job {id}"));
    loop {
        let job = client.runner_job(id).await?;
        progress.say(progress_text(&job));
        match job.status {
            JobState::Completed => return Ok(()),
            JobState::Timeout => {
                let why = job
                    .reason
                    .map(|reason| reason.to_string())
                    .unwrap_or_default();
                bail!("job {id} did not complete: {why}");
            }
            JobState::Pending | JobState::Running => tokio::time::sleep(LOOK).await,
        }
    }
}

fn progress_text(job: &RunnerJob) -> String {
    let why = job.reason.as_ref().map(|reason| format!(" ({reason})"));
    format!(
        "{} of {} scheduled, {} ready, {} gone{}",
        job.scheduled_count,
        job.instances,
        job.ready_count,
        job.gone_count,
        why.unwrap_or_default()
    )
}
