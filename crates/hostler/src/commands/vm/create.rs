//! `hostler vm create`.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hostler_core::Bytes;
use hostler_core::vm::{DiskOnLoss, Firmware, VmStatus};
use hostler_core::workload::OnNodeLoss;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{PlacementRules, Vm, VmCreate, VmDisk, VmNic};

use super::LOOK;
use crate::args::VmCreateArgs;
use crate::commands::workload::word;
use crate::output::Output;

/// Makes a VM, and waits until it runs, if that is wanted.
pub(super) async fn create(
    args: VmCreateArgs,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let mut body = body(&args)?;
    if let Some(node) = &args.node {
        body.slave_id = Some(super::node(node, client).await?);
    }
    if args.dry_run {
        let plan = client.vm_dry_run(&body).await?;
        return crate::commands::workload::explanation(&plan, output);
    }
    let key = uuid::Uuid::new_v4().to_string();
    let vm = client.vm_create(&body, &key).await?;
    if !args.wait {
        return super::said(&vm, output);
    }
    let wanted = if args.stopped {
        VmStatus::Stopped
    } else {
        VmStatus::Running
    };
    wait(
        &vm,
        wanted,
        (client, output),
        Duration::from_secs(args.timeout),
    )
    .await
}

fn body(args: &VmCreateArgs) -> Result<VmCreate> {
    let nic = |bridge: &String| VmNic {
        bridge: Some(bridge.clone()),
        ..VmNic::default()
    };
    let nics: Vec<_> = args.bridges.iter().map(nic).collect();
    let (on_node_loss, disk_on_loss) = on_loss(args)?;
    Ok(VmCreate {
        name: args.name.clone(),
        project: Some(args.project.clone()),
        image: args.image.clone(),
        cpus: Some(args.cpus),
        memory_bytes: Some(args.memory.get()),
        disk_bytes: args.disk.map(Bytes::get),
        firmware: if args.uefi {
            Firmware::Uefi
        } else {
            Firmware::Bios
        },
        disks: args.extra_disks.iter().map(disk).collect::<Result<_>>()?,
        nics: (!nics.is_empty()).then_some(nics),
        hostname: args.hostname.clone(),
        user: args.user.clone(),
        ssh_keys: keys(&args.ssh_keys)?,
        password: password(args.password_stdin)?,
        user_data: args.user_data.as_deref().map(text).transpose()?,
        keyboard: args.keyboard.clone(),
        labels: args.labels.iter().cloned().collect(),
        placement: PlacementRules {
            node_labels: args.node_labels.iter().cloned().collect(),
            ..PlacementRules::default()
        },
        on_node_loss,
        disk_on_loss,
        protected: args.protected,
        activate_at_start: Some(!args.stopped),
        ..VmCreate::default()
    })
}

fn disk((name, size): &(String, String)) -> Result<VmDisk> {
    let size: Bytes = size.parse()?;
    Ok(VmDisk {
        name: name.clone(),
        bytes: size.get(),
    })
}

/// What happens to the VM and to its disk when its node is lost.
fn on_loss(args: &VmCreateArgs) -> Result<(Option<OnNodeLoss>, DiskOnLoss)> {
    match (args.begin_anew, args.on_node_loss) {
        (true, Some(OnNodeLoss::Wait)) => bail!("--begin-anew goes with --on-node-loss restart"),
        (true, _) => Ok((Some(OnNodeLoss::Restart), DiskOnLoss::Fresh)),
        (false, asked) => Ok((asked, DiskOnLoss::Keep)),
    }
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

/// The keys in these files; a private one among them is a mistake.
fn keys(files: &[std::path::PathBuf]) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for file in files {
        let text = text(file)?;
        if text.contains("PRIVATE KEY") {
            bail!(
                "{} is a private key; give the file that ends in .pub",
                file.display()
            );
        }
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        keys.extend(lines.map(str::to_owned));
    }
    Ok(keys)
}

fn password(from_stdin: bool) -> Result<Option<String>> {
    if !from_stdin {
        return Ok(None);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Waits until a VM is so; fails when it never will be.
async fn wait(
    vm: &Vm,
    wanted: VmStatus,
    (client, output): (&ControlClient, Output),
    patience: Duration,
) -> Result<()> {
    let progress = output.progress(format!("Making {}", vm.name));
    let waiting = async {
        loop {
            let now = client.vm(vm.id).await?;
            match now.status {
                status if status == wanted => return Ok(now),
                VmStatus::Failed | VmStatus::Lost | VmStatus::Trashed | VmStatus::Deleting => {
                    bail!("{}", so_far(&now))
                }
                _ => progress.say(so_far(&now)),
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let Ok(done) = tokio::time::timeout(patience, waiting).await else {
        let now = client.vm(vm.id).await?;
        bail!("not done after {} s: {}", patience.as_secs(), so_far(&now));
    };
    drop(progress);
    output.line(&done?, |vm| {
        let node = vm.slave_name.as_deref().unwrap_or("-");
        format!("{} is {} on {node} ({})", vm.name, word(vm.status), vm.id)
    })
}

/// How far a VM is, in words.
fn so_far(vm: &Vm) -> String {
    let progress = vm.seen.as_ref().and_then(|seen| seen.progress.as_ref());
    let part = progress
        .filter(|progress| progress.total > 0)
        .map(|progress| {
            let percent = u128::from(progress.done) * 100 / u128::from(progress.total);
            format!(" {percent} %")
        });
    let reason = vm.reason.as_deref().map(|reason| format!(": {reason}"));
    let (part, reason) = (part.unwrap_or_default(), reason.unwrap_or_default());
    format!("{} is {}{reason}{part}", vm.name, word(vm.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_line_by_line_and_a_private_one_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys.pub");
        std::fs::write(&file, "# mine\nssh-ed25519 AAAA me\n\nssh-rsa BBBB you\n")
            .expect("written");
        let read = keys(std::slice::from_ref(&file)).expect("keys");
        assert_eq!(read, ["ssh-ed25519 AAAA me", "ssh-rsa BBBB you"]);
        std::fs::write(&file, "-----BEGIN OPENSSH PRIVATE KEY-----").expect("written");
        assert!(keys(&[file]).is_err());
        assert!(keys(&[folder.path().join("none")]).is_err());
    }
}
