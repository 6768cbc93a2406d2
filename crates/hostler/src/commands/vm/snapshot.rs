//! `hostler vm snapshot`.

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use hostler_core::id::VmId;
use hostler_core::vm::SnapshotState;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{Snapshot, SnapshotCreate};

use super::{LOOK, find, said};
use crate::args::SnapshotCommand;
use crate::commands::workload::word;
use crate::output::{self, Output, ago};

/// Performs `hostler vm snapshot`.
pub(super) async fn perform(
    command: SnapshotCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        SnapshotCommand::Create {
            which,
            name,
            memory,
            wait,
        } => {
            let vm = find(&which, client).await?.id;
            let body = SnapshotCreate { name, memory };
            let mut made = client.snapshot_create(vm, &body).await?;
            if wait {
                made = taken(vm, made, client, output).await?;
            }
            output.line(&made, |made| {
                format!("{} is {}", made.name, word(made.state))
            })
        }
        SnapshotCommand::Ls(which) => {
            let vm = find(&which, client).await?.id;
            list(&client.snapshots(vm).await?, output)
        }
        SnapshotCommand::Rm { which, name } => {
            let vm = find(&which, client).await?.id;
            let snapshot = named(vm, &name, client).await?;
            client.snapshot_delete(vm, snapshot.id).await?;
            output.line(&snapshot, |snapshot| {
                format!("{} is being removed", snapshot.name)
            })
        }
        SnapshotCommand::Rollback { which, name } => {
            let vm = find(&which, client).await?.id;
            let snapshot = named(vm, &name, client).await?;
            said(&client.snapshot_rollback(vm, snapshot.id).await?, output)
        }
    }
}

async fn named(vm: VmId, name: &str, client: &ControlClient) -> Result<Snapshot> {
    let mut all = client.snapshots(vm).await?.into_iter();
    all.find(|snapshot| snapshot.name == name || snapshot.id.to_string() == name)
        .with_context(|| format!("there is no snapshot '{name}'"))
}

async fn taken(
    vm: VmId,
    made: Snapshot,
    client: &ControlClient,
    output: Output,
) -> Result<Snapshot> {
    let _progress = output.progress(format!("Taking {}", made.name));
    loop {
        let now = named(vm, &made.id.to_string(), client).await?;
        match now.state {
            SnapshotState::Ready => return Ok(now),
            SnapshotState::Failed => {
                bail!("{} failed: {}", now.name, now.problem.unwrap_or_default())
            }
            SnapshotState::Taking => tokio::time::sleep(LOOK).await,
        }
    }
}

fn list(snapshots: &Vec<Snapshot>, output: Output) -> Result<()> {
    output.show(snapshots, |snapshots| {
        let mut table = output::table(&["name", "state", "memory", "age", "id"]);
        for snapshot in snapshots {
            let state = if snapshot.removing {
                "removing".to_owned()
            } else {
                word(snapshot.state)
            };
            table.add_row([
                snapshot.name.clone(),
                state,
                if snapshot.memory { "yes" } else { "no" }.to_owned(),
                ago(snapshot.created_at, Utc::now()),
                snapshot.id.to_string(),
            ]);
        }
        table
    })
}
