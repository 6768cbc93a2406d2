//! `nex node ls|info|probe`, and `nex lameduck`: asking nodes.

use anyhow::Result;
use comfy_table::Table;
use hostler_wire::nats::{InfoReply, PingReply, WorkloadPingReply};
use serde::Serialize;

use super::client::Nex;
use crate::output::{self, Output};

/// Lists nodes.
pub(super) async fn list(nex: &Nex, output: Output) -> Result<()> {
    let nodes = nex.nodes(nex.timeout).await?;
    if nodes.is_empty() && !output.json {
        output.remark("No nodes discovered");
        return Ok(());
    }
    output.show(&nodes, |nodes| {
        let headings = ["id", "name", "version", "uptime", "workloads"];
        let mut table = output::table(&headings);
        for node in nodes {
            table.add_row(row(node));
        }
        table
    })
}

fn row(node: &PingReply) -> [String; 5] {
    [
        node.node_id.clone(),
        name(&node.tags).to_owned(),
        node.version.clone(),
        node.uptime.clone(),
        node.running_machines.to_string(),
    ]
}

fn name(tags: &std::collections::BTreeMap<String, String>) -> &str {
    tags.get("node_name").map_or("no-name", String::as_str)
}

/// A reply with the node's id, which it does not hold itself.
#[derive(Serialize)]
struct Info {
    node_id: String,
    #[serde(flatten)]
    reply: InfoReply,
}

/// Shows one node.
pub(super) async fn info(nex: &Nex, node: String, output: Output) -> Result<()> {
    let reply = nex.info(&node).await?;
    let info = Info {
        node_id: node,
        reply,
    };
    output.show(&info, facts)
}

fn facts(info: &Info) -> Table {
    let reply = &info.reply;
    let tags = reply
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let mut rows = vec![
        ("Node", info.node_id.clone()),
        ("Xkey", reply.public_xkey.clone()),
        ("Version", reply.version.clone()),
        ("Uptime", reply.uptime.clone()),
        ("Tags", tags.collect::<Vec<_>>().join(", ")),
        ("Types", reply.supported_workload_types.join(", ")),
    ];
    if let Some(memory) = &reply.memory {
        let of = |kib: u64| format!("{kib} kB");
        rows.push(("Memory free", of(memory.free)));
        rows.push(("Memory available", of(memory.available)));
        rows.push(("Memory total", of(memory.total)));
    }
    for machine in &reply.machines {
        rows.push(("", String::new()));
        rows.push(("Workload", machine.id.clone()));
        rows.push(("  Name", machine.workload.name.clone()));
        rows.push(("  Type", machine.workload.r#type.clone()));
        rows.push(("  Healthy", machine.healthy.to_string()));
        rows.push(("  Uptime", machine.uptime.clone()));
        rows.push(("  Runtime", machine.workload.runtime.clone()));
        rows.push(("  Description", machine.workload.description.clone()));
    }
    output::facts(&rows)
}

/// Finds workloads.
pub(super) async fn probe(nex: &Nex, workload: Option<&str>, output: Output) -> Result<()> {
    let nodes = nex.probe(workload).await?;
    if nodes.is_empty() && !output.json {
        output.remark("No workloads matched");
        return Ok(());
    }
    output.show(&nodes, |nodes| found(nodes))
}

fn found(nodes: &[WorkloadPingReply]) -> Table {
    let headings = ["id", "name", "type", "namespace", "node", "node name"];
    let mut table = output::table(&headings);
    for node in nodes {
        for workload in &node.running_machines {
            table.add_row([
                workload.id.as_str(),
                &workload.name,
                &workload.r#type,
                &workload.namespace,
                &node.node_id,
                name(&node.tags),
            ]);
        }
    }
    table
}

/// Has a node take no more work.
pub(super) async fn lame_duck(nex: &Nex, node: &str, output: Output) -> Result<()> {
    let reply = nex.lame_duck(node).await?;
    anyhow::ensure!(reply.success, "the node did not enter lame duck mode");
    output.line(&reply, |reply| {
        format!(
            "Command to enter lame duck mode issued to {}",
            reply.node_id
        )
    })
}
