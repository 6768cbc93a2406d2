//! Commands about workloads that exist.

use anyhow::{Result, bail};
use chrono::Utc;
use hostler_core::workload::WorkloadStatus;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{Explanation, Workload, WorkloadQuery};

use crate::args::{LsArgs, WhichWorkload};
use crate::output::{self, Output, ago};

/// The workload of that id, or of that name in the project.
pub(crate) async fn find(which: &WhichWorkload, client: &ControlClient) -> Result<Workload> {
    if let Ok(id) = which.workload.parse() {
        return Ok(client.workload(id).await?);
    }
    let query = WorkloadQuery {
        project: Some(which.project.clone()),
        name: Some(which.workload.clone()),
        ..WorkloadQuery::default()
    };
    let page = client.workloads(&query).await?;
    match page.items.into_iter().next() {
        Some(workload) => Ok(workload),
        None => bail!(
            "there is no workload '{}' in project '{}'",
            which.workload,
            which.project
        ),
    }
}

/// `hostler ls`.
pub(crate) async fn list(args: LsArgs, client: &ControlClient, output: Output) -> Result<()> {
    let mut query = WorkloadQuery {
        project: args.project,
        ..WorkloadQuery::default()
    };
    query.status = args.status.as_deref().map(status).transpose()?;
    let mut workloads = Vec::new();
    loop {
        let page = client.workloads(&query).await?;
        workloads.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    output.show(&workloads, |workloads| {
        let mut table = output::table(&["name", "project", "kind", "status", "node", "age", "id"]);
        for workload in workloads {
            table.add_row(row(workload));
        }
        table
    })
}

fn status(word: &str) -> Result<WorkloadStatus> {
    let quoted = serde_json::Value::String(word.to_owned());
    serde_json::from_value(quoted).map_err(|_| anyhow::anyhow!("'{word}' is not a status"))
}

fn row(workload: &Workload) -> [String; 7] {
    [
        workload.name.clone(),
        workload.project.clone(),
        workload.kind.as_str().to_owned(),
        word(workload.status),
        workload
            .slave_name
            .clone()
            .unwrap_or_else(|| "-".to_owned()),
        ago(workload.created_at, Utc::now()),
        workload.id.to_string(),
    ]
}

/// A status in its word on the wire.
pub(crate) fn word(status: impl serde::Serialize) -> String {
    let value = serde_json::to_value(status).ok();
    value
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// `hostler info`.
pub(crate) async fn info(
    which: WhichWorkload,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let workload = find(&which, client).await?;
    output.show(&workload, |workload| output::facts(&facts(workload)))
}

fn facts(workload: &Workload) -> Vec<(&'static str, String)> {
    let seen = workload.seen.as_ref();
    let mut facts = vec![
        ("name", workload.name.clone()),
        ("id", workload.id.to_string()),
        ("project", workload.project.clone()),
        ("kind", workload.kind.as_str().to_owned()),
        ("status", word(workload.status)),
        ("goal", word(workload.goal)),
        ("generation", workload.generation.to_string()),
        (
            "node",
            workload
                .slave_name
                .clone()
                .unwrap_or_else(|| "-".to_owned()),
        ),
        (
            "slot",
            seen.and_then(|seen| seen.slot.clone())
                .unwrap_or_else(|| "-".to_owned()),
        ),
        ("restarts", seen.map_or(0, |seen| seen.restarts).to_string()),
        ("artifact", workload.artifact.clone()),
        ("triggers", workload.triggers.join(", ")),
        ("created", workload.created_at.to_rfc3339()),
    ];
    facts.extend(workload.reason.clone().map(|reason| ("reason", reason)));
    facts
}

/// `hostler stop`.
pub(crate) async fn stop(
    which: WhichWorkload,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let workload = find(&which, client).await?;
    let progress = output.progress(format!("Stopping {}", workload.name));
    let mut workload = client.workload_stop(workload.id).await?;
    while workload.status == WorkloadStatus::Stopping {
        tokio::time::sleep(super::run::LOOK).await;
        workload = client.workload(workload.id).await?;
    }
    drop(progress);
    output.remark(format!("{} is {}.", workload.name, word(workload.status)));
    Ok(())
}

/// `hostler start`.
pub(crate) async fn start(
    which: WhichWorkload,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let workload = find(&which, client).await?;
    let workload = client.workload_start(workload.id).await?;
    super::run::wait_until_running(&workload, client, output, super::run::PATIENCE).await
}

/// `hostler rm`.
pub(crate) async fn remove(
    which: WhichWorkload,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let workload = find(&which, client).await?;
    delete(&workload, client, output).await?;
    output.remark(format!("{} is gone.", workload.name));
    Ok(())
}

/// Deletes it and waits until it is gone.
pub(crate) async fn delete(
    workload: &Workload,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let progress = output.progress(format!("Removing {}", workload.name));
    client.workload_delete(workload.id).await?;
    loop {
        match client.workload(workload.id).await {
            Err(error) if error.is_not_found() => break,
            Err(error) => return Err(error.into()),
            Ok(now) if now.status == WorkloadStatus::Deleting => {
                progress.say(format!(
                    "Removing {}: {}",
                    now.name,
                    now.reason.unwrap_or_default()
                ));
            }
            Ok(now) => bail!("{} is {} again", now.name, word(now.status)),
        }
        tokio::time::sleep(super::run::LOOK).await;
    }
    Ok(())
}

/// `hostler explain`.
pub(crate) async fn explain(
    which: WhichWorkload,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let workload = find(&which, client).await?;
    explanation(&client.workload_explain(workload.id).await?, output)
}

/// Every node with its reasons, and the summary.
pub(crate) fn explanation(explanation: &Explanation, output: Output) -> Result<()> {
    output.show(explanation, |explanation| {
        let mut table = output::table(&["node", "chosen", "possible", "why"]);
        for node in &explanation.nodes {
            let yes = |is_so| if is_so { "yes" } else { "no" }.to_owned();
            let why = node.reasons.join("; ");
            table.add_row([
                node.slave_name.clone(),
                yes(node.chosen),
                yes(node.possible),
                why,
            ]);
        }
        table
    })?;
    output.remark(&explanation.summary);
    Ok(())
}
