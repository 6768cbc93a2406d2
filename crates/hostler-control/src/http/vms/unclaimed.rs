//! `/vms/unclaimed`: machines on nodes that nobody here ordered. They are
//! listed as their nodes told in their last heartbeats and left alone, until
//! somebody adopts one, or has one removed, by its id. What does not carry our
//! mark is not ours to touch.
//!
//! These are the handlers that ask a node: only it knows what a machine is that
//! no row here describes.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use hostler_core::Generation;
use hostler_core::id::{NodeId, VmId, WorkloadId};
use hostler_core::vm::{Adoption, VmFound, VmGoal, vm_adoption};
use hostler_store::{NewEvent, NodeRow};
use hostler_wire::client::{ClientError, NodeClient};
use hostler_wire::node_api::{UnclaimedVm, VmDefinition, VmEnsure};
use hostler_wire::rest;
use serde::Deserialize;

use super::adopted::adoption;
use super::create::refusal;
use super::{Changed, conflict, failed, shown};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code, chain};
use crate::http::extract::{Json, Path, Query};
use crate::nodes::Line;
use crate::state::App;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What nodes reported in their last heartbeats.
#[utoipa::path(get, path = "/vms/unclaimed", tag = "vms",
    responses((status = 200, body = Vec<rest::UnclaimedMachine>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn unclaimed(
    State(app): State<App>,
) -> ApiResult<axum::Json<Vec<rest::UnclaimedMachine>>> {
    let machines = machines(&app).await?;
    let show = |(node, machine): (NodeRow, UnclaimedVm)| rest::UnclaimedMachine {
        slave_id: node.facts.id,
        slave_name: node.name.to_string(),
        name: machine.name,
        id: machine.id,
        running: machine.running,
        cpus: machine.size.cpus,
        memory_bytes: machine.size.memory.get(),
        disk_bytes: machine.size.disk.get(),
        details: machine.details,
    };
    Ok(axum::Json(machines.into_iter().map(show).collect()))
}

/// Makes a VM of a machine, by what it is on its node. It stays where it is and
/// does what it does.
#[utoipa::path(post, path = "/vms/unclaimed/{id}/adopt", tag = "vms",
    params(("id" = uuid::Uuid, Path)), request_body = rest::VmAdopt,
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn adopt(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Json(body): Json<rest::VmAdopt>,
) -> ApiResult<Changed> {
    let (node, others) = found(&app, id, body.slave_id).await?;
    let client = client(&app, &node).await?;
    let held = client.vm_definition(id, PATIENCE).await;
    let held = held.map_err(|error| unreached(&error))?;
    let generation = admitted(&app, (id, &node), &held, &others).await?;
    let new = adoption(&app, &user, (id, generation, node.facts.id), held, &body).await?;
    let by = user.by(app.now());
    let row = app.store.vm_adopt(&by, new).await.map_err(refusal)?;
    app.passes.wake();
    shown(&app, row).await
}

/// `DELETE /vms/unclaimed/{id}`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveQuery {
    /// The node it is on; needed if several have one of this id.
    #[param(value_type = Option<uuid::Uuid>)]
    slave_id: Option<NodeId>,
}

/// Has a machine removed, with its disks. They cannot be had back.
#[utoipa::path(delete, path = "/vms/unclaimed/{id}", tag = "vms",
    params(("id" = uuid::Uuid, Path), RemoveQuery),
    responses((status = 202), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn unclaimed_delete(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Query(query): Query<RemoveQuery>,
) -> ApiResult<StatusCode> {
    let (node, _) = found(&app, id, query.slave_id).await?;
    let told = told_of(&node, id);
    let client = client(&app, &node).await?;
    let by = user.by(app.now());
    let noted = app.store.event_note(&by, removed(&node, id)).await;
    noted.map_err(|error| failed(&error))?;
    let order = VmEnsure {
        generation: told.next(),
        goal: VmGoal::Gone,
        heartbeat: None,
        order: None,
    };
    let entry = client.vm_ensure(id, &order, PATIENCE).await;
    let entry = entry.map_err(|error| unreached(&error))?;
    if entry.generation > order.generation {
        return Err(conflict(
            "its node was told something else meanwhile",
            "look at GET /vms/unclaimed again",
        ));
    }
    Ok(StatusCode::ACCEPTED)
}

/// Machines with their nodes, but for those that became VMs since.
async fn machines(app: &App) -> ApiResult<Vec<(NodeRow, UnclaimedVm)>> {
    let nodes = app.store.node_list().await;
    let nodes = nodes.map_err(|error| failed(&error))?;
    let of_node = |node: NodeRow| {
        let machines = of_node(&node).into_iter();
        machines.map(move |machine| (node.clone(), machine))
    };
    let mut machines: Vec<_> = nodes.into_iter().flat_map(of_node).collect();
    let ids: Vec<VmId> = machines.iter().filter_map(|(_, one)| one.id).collect();
    let known = app.store.vm_many(&ids).await;
    let known = known.map_err(|error| failed(&error))?;
    machines.retain(|(_, one)| known.iter().all(|row| Some(row.facts.id) != one.id));
    Ok(machines)
}

fn of_node(node: &NodeRow) -> Vec<UnclaimedVm> {
    serde_json::from_value(node.unclaimed_vms.clone()).unwrap_or_default()
}

/// The node of the machine that is meant, and the other nodes with one of its
/// id.
async fn found(app: &App, id: VmId, on: Option<NodeId>) -> ApiResult<(NodeRow, Vec<VmFound>)> {
    let machines = machines(app).await?.into_iter();
    let all = machines.filter(|(_, machine)| machine.id == Some(id));
    let (here, there): (Vec<_>, Vec<_>) =
        all.partition(|(node, _)| on.is_none_or(|on| on == node.facts.id));
    let others = there.iter().map(|(node, machine)| VmFound {
        node: node.facts.id,
        generation: machine.generation.unwrap_or(Generation::new(0)),
    });
    let others = others.collect();
    let mut here = here.into_iter().map(|(node, _)| node);
    match (here.next(), here.next()) {
        (None, _) => Err(ApiError::not_found("unclaimed machine", id)),
        (Some(node), None) => Ok((node, others)),
        (Some(_), Some(_)) => Err(conflict(
            "several nodes have a machine of this id",
            "say which one with slave_id",
        )),
    }
}

/// The generation that a node was told of a machine, as it last said.
fn told_of(node: &NodeRow, id: VmId) -> Generation {
    let machine = of_node(node).into_iter().find(|one| one.id == Some(id));
    let told = machine.and_then(|machine| machine.generation);
    told.unwrap_or(Generation::new(0))
}

/// The generation that it gets.
async fn admitted(
    app: &App,
    (id, node): (VmId, &NodeRow),
    held: &VmDefinition,
    others: &[VmFound],
) -> ApiResult<Generation> {
    let grave = app
        .store
        .vm_tombstones(&[id])
        .await
        .map_err(|error| failed(&error))?;
    let here = VmFound {
        node: node.facts.id,
        generation: held.generation,
    };
    match vm_adoption(here, others, (false, !grave.is_empty())) {
        Adoption::Adopt(generation) => Ok(generation),
        Adoption::Known => Err(conflict("it is a VM already", "GET /vms lists it")),
        Adoption::Erased => Err(ApiError::new(
            Code::Gone,
            "this VM was deleted, and its node is told to remove it",
        )),
        Adoption::AlsoOn(other) => Err(conflict(
            &format!("the node {other} has a machine of this id, too"),
            "remove the one that is not wanted first: DELETE /vms/unclaimed/{id}?slave_id=…",
        )),
    }
}

async fn client(app: &App, node: &NodeRow) -> ApiResult<NodeClient> {
    let client = Line::default().client(&app.store, node).await;
    client.map_err(|error| ApiError::internal("finding the way to a node", &error))
}

fn unreached(error: &ClientError) -> ApiError {
    tracing::warn!(error = %chain(error), "a node said nothing of an unclaimed machine");
    match error {
        ClientError::Refused { body, .. } => ApiError::new(Code::Conflict, body.error.clone()),
        _ => ApiError::new(Code::Unavailable, "its node was not reached")
            .hint("see what its node's log says"),
    }
}

fn removed(node: &NodeRow, id: VmId) -> NewEvent {
    NewEvent {
        kind: "vm.unclaimed-removed".to_owned(),
        project: None,
        subject: Some(WorkloadId::from_uuid(id.uuid()).to_string()),
        text: format!(
            "the unclaimed machine {id} on {} is to be removed",
            node.name
        ),
        data: serde_json::json!({"node": node.facts.id}),
    }
}
