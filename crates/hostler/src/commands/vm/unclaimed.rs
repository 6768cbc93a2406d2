//! Machines on nodes that nobody here ordered.

use anyhow::{Result, bail};
use hostler_core::Bytes;
use hostler_core::id::{NodeId, VmId};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{UnclaimedMachine, VmAdopt};

use crate::args::AdoptArgs;
use crate::output::{self, Output};

/// `hostler vm unclaimed`.
pub(super) async fn list(client: &ControlClient, output: Output) -> Result<()> {
    let machines = client.vms_unclaimed().await?;
    output.show(&machines, |machines| {
        let mut table = output::table(&["name", "node", "runs", "cpus", "memory", "disk", "id"]);
        for machine in machines {
            let runs = if machine.running { "yes" } else { "no" };
            let id = machine.id.map(|id| id.to_string());
            table.add_row([
                machine.name.clone(),
                machine.slave_name.clone(),
                runs.to_owned(),
                machine.cpus.to_string(),
                Bytes::new(machine.memory_bytes).to_string(),
                Bytes::new(machine.disk_bytes).to_string(),
                id.unwrap_or_else(|| "not ours".to_owned()),
            ]);
        }
        table
    })
}

/// `hostler vm adopt`.
pub(super) async fn adopt(args: AdoptArgs, client: &ControlClient, output: Output) -> Result<()> {
    let (id, node) = find(&args.machine, args.node.as_deref(), client).await?;
    let body = VmAdopt {
        slave_id: Some(node),
        project: args.project,
        name: args.name,
    };
    super::said(&client.vm_adopt(id, &body).await?, output)
}

/// `hostler vm rm --unclaimed`.
pub(super) async fn remove(
    machine: &str,
    node: Option<&str>,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let (id, node) = find(machine, node, client).await?;
    client.vm_unclaimed_delete(id, node).await?;
    output.remark("its node removes it");
    Ok(())
}

/// The machine that is meant, and where it is.
async fn find(text: &str, node: Option<&str>, client: &ControlClient) -> Result<(VmId, NodeId)> {
    choose(client.vms_unclaimed().await?, text, node)
}

fn choose(
    machines: Vec<UnclaimedMachine>,
    text: &str,
    node: Option<&str>,
) -> Result<(VmId, NodeId)> {
    let here = |one: &UnclaimedMachine| {
        node.is_none_or(|node| node == one.slave_name || node == one.slave_id.to_string())
    };
    let meant = |one: &UnclaimedMachine| {
        one.name == text || one.id.is_some_and(|id| id.to_string() == text)
    };
    let mut machines = machines.into_iter().filter(|one| here(one) && meant(one));
    match (machines.next(), machines.next()) {
        (None, _) => {
            bail!("there is no unclaimed machine '{text}'; hostler vm unclaimed lists them")
        }
        (Some(_), Some(_)) => {
            bail!("there are several machines '{text}': give its id, and --node")
        }
        (Some(one), None) => match one.id {
            Some(id) => Ok((id, one.slave_id)),
            None => bail!("'{text}' does not carry our mark: see to it on its node"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_meant_by_its_name_or_id_where_that_is_clear() {
        let machine = |name: &str, node: u8, id: Option<u8>| UnclaimedMachine {
            slave_id: NodeId::from_parts(1, [node; 10]),
            slave_name: format!("n{node}"),
            name: name.to_owned(),
            id: id.map(|id| VmId::from_parts(1, [id; 10])),
            running: true,
            cpus: 1,
            memory_bytes: 1,
            disk_bytes: 1,
            details: [].into(),
        };
        let check = |text: &str, node: Option<&str>, expected: Option<(u8, u8)>| {
            let machines = vec![
                machine("web", 1, Some(1)),
                machine("web", 2, Some(1)),
                machine("db", 1, Some(2)),
                machine("theirs", 1, None),
            ];
            let expected = expected.map(|(id, node)| {
                (
                    VmId::from_parts(1, [id; 10]),
                    NodeId::from_parts(1, [node; 10]),
                )
            });
            let found = choose(machines, text, node);
            assert_eq!(found.ok(), expected, "{text} {node:?}");
        };
        check("db", None, Some((2, 1)));
        check(
            &VmId::from_parts(1, [2; 10]).to_string(),
            None,
            Some((2, 1)),
        );
        check("web", None, None);
        check("web", Some("n2"), Some((1, 2)));
        check("db", Some("n2"), None);
        check("theirs", None, None);
        check("nothing", None, None);
    }
}
