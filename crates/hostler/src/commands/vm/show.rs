//! VMs as tables.

use anyhow::{Result, anyhow};
use chrono::Utc;
use hostler_core::Bytes;
use hostler_core::vm::VmStatus;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{Vm, VmQuery};

use crate::commands::workload::word;
use crate::output::{self, Output, ago};

/// `hostler vm ls`.
pub(super) async fn list(
    (project, status, trash): (Option<String>, Option<String>, bool),
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let mut query = VmQuery {
        project,
        status: status.as_deref().map(read).transpose()?,
        trashed: trash.then_some(true),
        ..VmQuery::default()
    };
    let mut vms = Vec::new();
    loop {
        let page = client.vms(&query).await?;
        vms.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    output.show(&vms, |vms| {
        let mut table = output::table(&[
            "name", "project", "status", "cpus", "memory", "disk", "image", "address", "node",
            "age", "id",
        ]);
        for vm in vms {
            table.add_row(row(vm));
        }
        table
    })
}

fn read(word: &str) -> Result<VmStatus> {
    serde_json::from_value(word.into()).map_err(|_| anyhow!("'{word}' is not a status"))
}

fn dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "-".to_owned())
}

fn row(vm: &Vm) -> [String; 11] {
    [
        vm.name.clone(),
        vm.project.clone(),
        word(vm.status),
        vm.cpus.to_string(),
        Bytes::new(vm.memory_bytes).to_string(),
        Bytes::new(vm.disk_bytes).to_string(),
        dash(vm.os.as_ref()),
        dash(vm.ipv4.as_ref()),
        dash(vm.slave_name.as_ref()),
        ago(vm.created_at, Utc::now()),
        vm.id.to_string(),
    ]
}

/// `hostler vm get`.
pub(super) fn get(vm: &Vm, output: Output) -> Result<()> {
    output.show(vm, |vm| output::facts(&facts(vm)))
}

fn facts(vm: &Vm) -> Vec<(&'static str, String)> {
    let seen = vm.seen.as_ref();
    let addresses = seen.into_iter().flat_map(|seen| &seen.addresses);
    let addresses: Vec<_> = addresses.map(ToString::to_string).collect();
    let waits = seen.into_iter().flat_map(|seen| &seen.wants_restart);
    let waits: Vec<_> = waits.map(word).collect();
    let mut facts = vec![
        ("name", vm.name.clone()),
        ("id", vm.id.to_string()),
        ("project", vm.project.clone()),
        ("status", word(vm.status)),
        ("goal", word(vm.goal)),
        ("generation", vm.generation.to_string()),
        ("node", dash(vm.slave_name.as_ref())),
        ("image", dash(vm.os.as_ref())),
        ("cpus", vm.cpus.to_string()),
        ("memory", Bytes::new(vm.memory_bytes).to_string()),
        ("disk", Bytes::new(vm.disk_bytes).to_string()),
        ("addresses", addresses.join(", ")),
        (
            "on node loss",
            format!("{}, {}", word(vm.on_node_loss), word(vm.disk_on_loss)),
        ),
        (
            "protected",
            if vm.protected { "yes" } else { "no" }.to_owned(),
        ),
        ("age", ago(vm.created_at, Utc::now())),
    ];
    if !waits.is_empty() {
        facts.push(("at next start", waits.join(", ")));
    }
    facts.extend(vm.reason.clone().map(|reason| ("reason", reason)));
    facts
}
