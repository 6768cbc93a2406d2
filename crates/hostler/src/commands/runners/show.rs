//! Tables and facts about runners, jobs and pools.

use anyhow::{Result, bail};
use chrono::Utc;
use hostler_core::id::JobId;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{Readiness, Runner, RunnerJob, RunnerPoolInfo, RunnerQuery};

use crate::commands::workload::word;
use crate::output::{self, Output, ago};

/// `hostler runners ls`.
pub(super) async fn list(
    status: Option<String>,
    pool: Option<String>,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let status = status.map(serde_json::Value::String);
    let query = RunnerQuery {
        status: status.map(serde_json::from_value).transpose()?,
        pool,
        ..RunnerQuery::default()
    };
    let runners = client.runners(&query).await?;
    output.show(&runners, |runners| {
        let mut table = output::table(&["id", "status", "pool", "node", "ip", "age", "why"]);
        for runner in runners {
            table.add_row(row(runner));
        }
        table
    })
}

fn row(runner: &Runner) -> [String; 7] {
    let known = |key: &str| {
        runner
            .metadata
            .get(key)
            .map_or("-", String::as_str)
            .to_owned()
    };
    let why = runner.reason.as_ref().map(ToString::to_string);
    [
        runner.id.to_string(),
        word(runner.status),
        runner.pool.to_string(),
        known("node_name"),
        known("node_internal_ip"),
        ago(runner.created_at, Utc::now()),
        why.unwrap_or_default(),
    ]
}

/// `hostler runners get`.
pub(super) async fn one(id: &str, client: &ControlClient, output: Output) -> Result<()> {
    let runner = client.runner(id).await?;
    output.show(&runner, |runner| {
        let mut facts = vec![
            ("id", runner.id.to_string()),
            ("status", word(runner.status)),
            ("pool", runner.pool.to_string()),
            ("created", runner.created_at.to_rfc3339()),
        ];
        let known = runner.metadata.iter();
        facts.extend(known.map(|(key, value)| (key.as_str(), value.clone())));
        facts.extend(runner.job_id.map(|job| ("job", job.to_string())));
        for reason in runner.reason.iter().chain(&runner.reasons) {
            facts.push(("why", reason.to_string()));
            facts.extend(reason.hint.clone().map(|hint| ("hint", hint)));
        }
        output::facts(&facts)
    })
}

/// `hostler runners jobs`.
pub(super) async fn jobs(client: &ControlClient, output: Output) -> Result<()> {
    let jobs = client.runner_jobs().await?;
    output.show(&jobs, |jobs| {
        let headings = [
            "job",
            "kind",
            "status",
            "runners",
            "scheduled",
            "ready",
            "gone",
            "age",
            "why",
        ];
        let mut table = output::table(&headings);
        for job in jobs {
            table.add_row(job_row(job));
        }
        table
    })
}

fn job_row(job: &RunnerJob) -> [String; 9] {
    [
        job.job_id.to_string(),
        word(job.kind),
        word(job.status),
        job.instances.to_string(),
        job.scheduled_count.to_string(),
        job.ready_count.to_string(),
        job.gone_count.to_string(),
        ago(job.created_at, Utc::now()),
        job.reason
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ]
}

/// `hostler runners jobs ID`.
pub(super) async fn job(id: JobId, client: &ControlClient, output: Output) -> Result<()> {
    let job = client.runner_job(id).await?;
    output.show(&job, |job| {
        let mut table = output::table(&["runner", "status", "pool", "node", "why"]);
        for item in &job.runners {
            table.add_row([
                item.id.to_string(),
                item.status.clone(),
                item.pool.to_string(),
                item.node_name.clone().unwrap_or_else(|| "-".to_owned()),
                item.reason
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ]);
        }
        table
    })?;
    output.remark(format!("{} is {}", job.job_id, word(job.status)));
    Ok(())
}

/// `hostler runners pools`.
pub(super) async fn pools(client: &ControlClient, output: Output) -> Result<()> {
    let pools = client.runner_pools().await?;
    output.show(&pools, |pools| {
        let mut table = output::table(&[
            "pool",
            "min",
            "max",
            "warm",
            "runners",
            "falls back to",
            "why not",
        ]);
        for pool in pools {
            table.add_row(pool_row(pool));
        }
        table
    })
}

fn pool_row(pool: &RunnerPoolInfo) -> [String; 7] {
    let most = if pool.max == u32::MAX {
        "-".to_owned()
    } else {
        pool.max.to_string()
    };
    let counts = pool
        .runners
        .iter()
        .map(|(status, count)| format!("{count} {status}"));
    let others: Vec<&str> = pool
        .fallback
        .iter()
        .map(hostler_core::runner::PoolName::as_str)
        .collect();
    [
        pool.name.to_string(),
        pool.min.to_string(),
        most,
        pool.warm.to_string(),
        counts.collect::<Vec<_>>().join(", "),
        others.join(", "),
        pool.reason
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ]
}

/// `hostler runners doctor`: fails when something that is needed does.
pub(super) async fn doctor(client: &ControlClient, output: Output) -> Result<()> {
    let found = client.runner_doctor().await?;
    output.show(&found, |found: &Readiness| {
        let mut table = output::table(&["check", "works", "problem"]);
        for check in &found.checks {
            let works = if check.ok { "yes" } else { "no" };
            let problem = check.problem.clone().unwrap_or_default();
            table.add_row([check.name.clone(), works.to_owned(), problem]);
        }
        table
    })?;
    if !found.ready {
        bail!("something that is needed does not work");
    }
    Ok(())
}
