//! `hostler run`: a file becomes a running workload.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hostler_core::workload::{Kind, OnNodeLoss, WorkloadStatus};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{PlacementRules, Resources, Workload, WorkloadCreate};
use sha2::{Digest as _, Sha256};

use super::connect;
use super::workload::{delete, find, word};
use crate::args::{Global, RunArgs, WhichWorkload};
use crate::output::Output;

/// Between two looks at something that changes.
pub(crate) const LOOK: Duration = Duration::from_millis(50);
/// How long a start may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Uploads the file, makes the workload, and waits until it runs.
pub(crate) async fn run(args: RunArgs, global: &Global, output: Output) -> Result<()> {
    let client = connect::client(global)?;
    let bytes = std::fs::read(&args.file)
        .with_context(|| format!("could not read {}", args.file.display()))?;
    let body = body(&args, &bytes, global)?;
    if args.replace {
        replace(&body, &client, output).await?;
    }
    let progress = output.progress(format!("Uploading {} bytes", bytes.len()));
    client
        .artifact_put(&body.artifact, &args.project, bytes.into())
        .await?;
    drop(progress);
    let workload = client
        .workload_create(&body, &uuid::Uuid::now_v7().to_string())
        .await?;
    if args.detach {
        return output.line(&workload, |workload| {
            format!("{} is {}", workload.name, word(workload.status))
        });
    }
    wait_until_running(
        &workload,
        &client,
        output,
        Duration::from_secs(args.timeout),
    )
    .await
}

fn body(args: &RunArgs, bytes: &[u8], global: &Global) -> Result<WorkloadCreate> {
    let kind = match args.kind {
        Some(kind) => kind,
        None => recognise(bytes, &args.file)?,
    };
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
    let mut environment: std::collections::BTreeMap<_, _> =
        args.environment.iter().cloned().collect();
    if args.with_nats {
        let nats = connect::context(global)?.workload_nats;
        let nats =
            nats.context("this context knows no NATS for workloads; give --env NATS_URL=...")?;
        environment.insert("NATS_URL".to_owned(), nats);
    }
    Ok(WorkloadCreate {
        name: args.name.clone().map_or_else(|| name_of(&args.file), Ok)?,
        project: Some(args.project.clone()),
        kind,
        artifact: digest,
        argv: args.argv.clone(),
        environment,
        triggers: args.triggers.clone(),
        essential: args.essential,
        resources: Some(Resources {
            cpu_millis: args.cpus.as_millis(),
            memory_bytes: args.memory.get(),
        }),
        pids: Some(args.pids),
        labels: args.labels.iter().cloned().collect(),
        placement: PlacementRules {
            node_labels: args.node_labels.iter().cloned().collect(),
            ..PlacementRules::default()
        },
        on_node_loss: if args.wait_for_node {
            OnNodeLoss::Wait
        } else {
            OnNodeLoss::Restart
        },
        goal: None,
        description: String::new(),
    })
}

/// What a file is, by its first bytes; a script by its name.
fn recognise(bytes: &[u8], path: &Path) -> Result<Kind> {
    let mut magic = [0; 4];
    let read = (&mut &*bytes).read(&mut magic)?;
    match &magic[..read] {
        b"\x7fELF" => Ok(Kind::Elf),
        b"\0asm" => Ok(Kind::Wasm),
        _ if path.extension().is_some_and(|suffix| suffix == "js") => Ok(Kind::V8),
        _ => bail!(
            "{} is neither an ELF executable nor a WebAssembly module, nor called .js",
            path.display()
        ),
    }
}

/// `out/shout.wasm` is called `shout`.
fn name_of(path: &Path) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let name = stem.context("the file's name is no name for a workload; give --name")?;
    Ok(name.replace('.', "-"))
}

async fn replace(body: &WorkloadCreate, client: &ControlClient, output: Output) -> Result<()> {
    let which = WhichWorkload {
        workload: body.name.clone(),
        project: body.project.clone().unwrap_or_default(),
    };
    match find(&which, client).await {
        Ok(old) => delete(&old, client, output).await,
        Err(_) => Ok(()),
    }
}

/// Waits until it runs; fails when it fails.
pub(crate) async fn wait_until_running(
    workload: &Workload,
    client: &ControlClient,
    output: Output,
    patience: Duration,
) -> Result<()> {
    let progress = output.progress(format!("Starting {}", workload.name));
    let waiting = async {
        loop {
            let now = client.workload(workload.id).await?;
            match now.status {
                WorkloadStatus::Running => return Ok(now),
                WorkloadStatus::Failed | WorkloadStatus::Stopped => {
                    bail!(
                        "{} {}: {}",
                        now.name,
                        word(now.status),
                        now.reason.unwrap_or_default()
                    )
                }
                _ => progress.say(waiting_for(&now)),
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let Ok(running) = tokio::time::timeout(patience, waiting).await else {
        let now = client.workload(workload.id).await?;
        bail!(
            "{} does not run after {} s: {}",
            now.name,
            patience.as_secs(),
            waiting_for(&now)
        );
    };
    drop(progress);
    output.line(&running?, |workload| {
        let node = workload.slave_name.as_deref().unwrap_or("-");
        format!("{} runs on {node} ({})", workload.name, workload.id)
    })
}

fn waiting_for(workload: &Workload) -> String {
    let reason = workload
        .reason
        .as_deref()
        .map(|reason| format!(" ({reason})"));
    format!(
        "{} is {}{}",
        workload.name,
        word(workload.status),
        reason.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_recognised_by_its_first_bytes() {
        let path = Path::new("out/shout.wasm");
        assert_eq!(recognise(b"\x7fELF\x02", path).expect("elf"), Kind::Elf);
        assert_eq!(recognise(b"\0asm\x01", path).expect("wasm"), Kind::Wasm);
        assert!(recognise(b"#!/bin/sh", path).is_err());
        let script = Path::new("examples/upper.js");
        assert_eq!(recognise(b"() => 1", script).expect("v8"), Kind::V8);
        assert_eq!(recognise(b"\0asm\x01", script).expect("wasm"), Kind::Wasm);
        assert!(recognise(b"", path).is_err());
        assert_eq!(name_of(path).expect("a name"), "shout");
    }
}
