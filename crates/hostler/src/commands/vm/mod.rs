//! Commands about VMs.

mod console;
mod create;
mod image;
mod share;
mod show;
mod snapshot;
mod ssh;
mod unclaimed;

use std::time::Duration;

use anyhow::{Result, bail};
use hostler_core::id::NodeId;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{Vm, VmDuplicate, VmQuery, VmUpdate};

use super::workload::word;
use crate::args::{ResizeArgs, VmCommand, WhichVm};
use crate::output::Output;

pub(crate) use image::perform as image;

/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(300);

/// Performs `hostler vm`.
pub(crate) async fn perform(
    command: VmCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        VmCommand::Create(args) => create::create(args, client, output).await,
        VmCommand::Ls {
            project,
            status,
            trash,
        } => show::list((project, status, trash), client, output).await,
        VmCommand::Get(which) => show::get(&find(&which, client).await?, output),
        VmCommand::Start(which) => tell(&which, "start", client, output).await,
        VmCommand::Stop { which, force: true } => {
            let id = find(&which, client).await?.id;
            said(&client.vm_stop_now(id).await?, output)
        }
        VmCommand::Stop { which, .. } => tell(&which, "stop", client, output).await,
        VmCommand::Restart(which) => tell(&which, "restart", client, output).await,
        VmCommand::Pause(which) => tell(&which, "pause", client, output).await,
        VmCommand::Resume(which) => tell(&which, "resume", client, output).await,
        VmCommand::Restore(which) => tell(&which, "restore", client, output).await,
        VmCommand::Rename { which, name } => rename(&which, &name, client, output).await,
        VmCommand::Resize(args) => resize(&args, client, output).await,
        VmCommand::Clone { which, name } => duplicate(&which, name, client, output).await,
        VmCommand::Rm {
            which,
            unclaimed: true,
            node,
            ..
        } => unclaimed::remove(&which.vm, node.as_deref(), client, output).await,
        VmCommand::Rm { which, now, .. } => {
            let id = find(&which, client).await?.id;
            said(&client.vm_delete(id, now).await?, output)
        }
        VmCommand::Console(which) => console::serial(&find(&which, client).await?, client).await,
        VmCommand::Screenshot { which, out } => {
            console::screenshot(&find(&which, client).await?, out, client, output).await
        }
        VmCommand::Ssh { which, user, more } => {
            ssh::ssh(&find(&which, client).await?, user.as_deref(), &more)
        }
        VmCommand::Snapshot(command) => snapshot::perform(command, client, output).await,
        VmCommand::Share(command) => share::perform(command, client, output).await,
        VmCommand::Explain(which) => {
            let id = find(&which, client).await?.id;
            super::workload::explanation(&client.vm_explain(id).await?, output)
        }
        VmCommand::Unclaimed => unclaimed::list(client, output).await,
        VmCommand::Adopt(args) => unclaimed::adopt(args, client, output).await,
    }
}

async fn rename(which: &WhichVm, name: &str, client: &ControlClient, output: Output) -> Result<()> {
    let id = find(which, client).await?.id;
    said(&client.vm_rename(id, name).await?, output)
}

async fn duplicate(
    which: &WhichVm,
    name: Option<String>,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let id = find(which, client).await?.id;
    let made = client.vm_duplicate(id, &VmDuplicate { name }).await?;
    said(&made, output)
}

/// The VM of that id, or of that name in the project.
async fn find(which: &WhichVm, client: &ControlClient) -> Result<Vm> {
    if let Ok(id) = which.vm.parse() {
        return Ok(client.vm(id).await?);
    }
    let query = VmQuery {
        project: Some(which.project.clone()),
        name: Some(which.vm.clone()),
        ..VmQuery::default()
    };
    match client.vms(&query).await?.items.into_iter().next() {
        Some(vm) => Ok(vm),
        None => bail!(
            "there is no VM '{}' in project '{}'",
            which.vm,
            which.project
        ),
    }
}

/// The node of that id or name.
async fn node(text: &str, client: &ControlClient) -> Result<NodeId> {
    let is_meant = |id: NodeId, name: &str| name == text || id.to_string() == text;
    let mut nodes = client.nodes().await?.into_iter();
    match nodes.find(|node| is_meant(node.id, &node.name)) {
        Some(node) => Ok(node.id),
        None => bail!("there is no node '{text}'"),
    }
}

async fn tell(which: &WhichVm, verb: &str, client: &ControlClient, output: Output) -> Result<()> {
    let id = find(which, client).await?.id;
    said(&client.vm_do(id, verb).await?, output)
}

fn said(vm: &Vm, output: Output) -> Result<()> {
    output.line(vm, |vm| {
        format!("{} is {} ({})", vm.name, word(vm.status), vm.id)
    })
}

async fn resize(args: &ResizeArgs, client: &ControlClient, output: Output) -> Result<()> {
    let update = VmUpdate {
        cpus: args.cpus,
        memory_bytes: args.memory.map(hostler_core::Bytes::get),
        disk_bytes: args.disk.map(hostler_core::Bytes::get),
        ..VmUpdate::default()
    };
    if update == VmUpdate::default() {
        bail!("give --cpus, --memory or --disk");
    }
    let id = find(&args.which, client).await?.id;
    let vm = client.vm_update(id, &update).await?;
    if vm.goal.is_active() {
        output.remark(
            "processors and memory are taken over at its next start, unless it can do so now",
        );
    }
    said(&vm, output)
}
