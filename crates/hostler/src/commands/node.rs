//! `hostler node`, apart from running one.

use anyhow::{Result, bail};
use chrono::Utc;
use hostler_core::node::Scheduling;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{DrainRequest, JoinTokenCreate, Node, NodeUpdate};

use super::near::address_towards;
use super::operation::wait_until_ended;
use super::workload::word;
use crate::args::{NodeCommand, WhichNode};
use crate::output::{self, Output, ago};

/// Performs one of them.
pub(crate) async fn perform(
    command: NodeCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        // Running a node is not a command to a control plane.
        NodeCommand::Up(_)
        | NodeCommand::Guard { .. }
        | NodeCommand::Doctor { .. }
        | NodeCommand::Preflight(_) => Ok(()),
        NodeCommand::Ls => list(client, output).await,
        NodeCommand::Info(which) => info(&which, client, output).await,
        NodeCommand::Token { uses, ttl } => token(uses, ttl.as_secs(), client, output).await,
        NodeCommand::Close(which) => schedule(&which, Scheduling::Closed, client, output).await,
        NodeCommand::Open(which) => schedule(&which, Scheduling::Open, client, output).await,
        NodeCommand::Drain {
            which,
            deadline,
            detach,
        } => {
            let node = find(&which, client).await?;
            let request = DrainRequest {
                deadline_s: Some(deadline),
            };
            let operation = client.node_drain(node.id, &request).await?;
            if detach {
                return output.line(&operation, |operation| {
                    format!("operation {}", operation.id)
                });
            }
            wait_until_ended(operation, client, output).await
        }
        NodeCommand::Rm(which) => {
            let node = find(&which, client).await?;
            if let Some(operation) = client.node_remove(node.id).await? {
                wait_until_ended(operation, client, output).await?;
            }
            output.remark(format!("{} is unregistered.", node.name));
            Ok(())
        }
    }
}

async fn find(which: &WhichNode, client: &ControlClient) -> Result<Node> {
    let nodes = client.nodes().await?;
    let is_it = |node: &Node| node.name == which.node || node.id.to_string() == which.node;
    match nodes.into_iter().find(is_it) {
        Some(node) => Ok(node),
        None => bail!(
            "there is no node '{}'; `hostler node ls` lists them",
            which.node
        ),
    }
}

async fn list(client: &ControlClient, output: Output) -> Result<()> {
    let nodes = client.nodes().await?;
    output.show(&nodes, |nodes| {
        let headings = [
            "name",
            "status",
            "workloads",
            "cpu free",
            "memory free",
            "heard",
            "version",
        ];
        let mut table = output::table(&headings);
        for node in nodes {
            table.add_row(row(node));
        }
        table
    })
}

fn row(node: &Node) -> [String; 7] {
    let free = |capacity: u64, reserved: u64| capacity.saturating_sub(reserved);
    let heard = node
        .last_heartbeat
        .map(|heard| format!("{} ago", ago(heard, Utc::now())));
    let cpu = free(node.capacity.cpu_millis, node.reserved.cpu_millis);
    let memory = free(node.capacity.memory_bytes, node.reserved.memory_bytes) >> 20;
    [
        node.name.clone(),
        word(node.status),
        format!("{}/{}", node.seated, node.slots),
        hostler_core::Cpu::millis(cpu).to_string(),
        format!("{memory}MiB"),
        heard.unwrap_or_else(|| "never".to_owned()),
        node.version.clone(),
    ]
}

async fn info(which: &WhichNode, client: &ControlClient, output: Output) -> Result<()> {
    let node = find(which, client).await?;
    output.show(&node, |node| output::facts(&facts(node)))
}

fn facts(node: &Node) -> Vec<(&'static str, String)> {
    let amounts = |of: &hostler_wire::rest::Resources| {
        let cpu = hostler_core::Cpu::millis(of.cpu_millis);
        format!("{cpu} cores, {} MiB", of.memory_bytes >> 20)
    };
    let labels = node
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    vec![
        ("name", node.name.clone()),
        ("id", node.id.to_string()),
        ("status", word(node.status)),
        ("scheduling", word(node.scheduling)),
        ("address", format!("{}:{}", node.hostname, node.port)),
        ("capacity", amounts(&node.capacity)),
        ("reserved", amounts(&node.reserved)),
        ("workloads", format!("{} of {}", node.seated, node.slots)),
        ("labels", labels.collect::<Vec<_>>().join(", ")),
        ("unclaimed", node.unclaimed.join(", ")),
        ("version", node.version.clone()),
        ("registered", node.created_at.to_rfc3339()),
        (
            "heard",
            node.last_heartbeat
                .map(|heard| heard.to_rfc3339())
                .unwrap_or_default(),
        ),
    ]
}

async fn token(uses: u32, ttl_s: u64, client: &ControlClient, output: Output) -> Result<()> {
    let request = JoinTokenCreate {
        ttl_s: Some(ttl_s),
        uses: Some(uses),
    };
    let made = client.join_token_create(&request).await?;
    let base = client.base().to_string();
    let control = made.control.as_deref().unwrap_or(&base);
    let control = control.trim_end_matches('/');
    if is_loopback(control) {
        output.remark(ONLY_HERE);
    }
    output.line(&made, |made| {
        format!(
            "hostler node up --control {control} --join-token {}",
            made.secret
        )
    })
}

const ONLY_HERE: &str = "This fleet listens on loopback: the line works on this machine only. \
     To have others join, start it with `hostler up --listen 0.0.0.0:3010 --nats-listen 0.0.0.0:4222`.";

fn is_loopback(url: &str) -> bool {
    address_towards(url).is_some_and(|address| address.is_loopback())
}

async fn schedule(
    which: &WhichNode,
    scheduling: Scheduling,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let node = find(which, client).await?;
    let update = NodeUpdate {
        scheduling: Some(scheduling),
        labels: None,
    };
    let node = client.node_update(node.id, &update).await?;
    output.remark(format!("{} is {}.", node.name, word(node.status)));
    Ok(())
}
