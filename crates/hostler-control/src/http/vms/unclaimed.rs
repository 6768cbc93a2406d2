//! `/vms/unclaimed`: machines on nodes that nobody here ordered.

use axum::extract::State;
use hostler_store::NodeRow;
use hostler_wire::node_api::UnclaimedVm;
use hostler_wire::rest;

use super::failed;
use crate::http::error::ApiResult;
use crate::state::App;

/// What nodes reported in their last heartbeats.
#[utoipa::path(get, path = "/vms/unclaimed", tag = "vms",
    responses((status = 200, body = Vec<rest::UnclaimedMachine>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn unclaimed(
    State(app): State<App>,
) -> ApiResult<axum::Json<Vec<rest::UnclaimedMachine>>> {
    let nodes = app
        .store
        .node_list()
        .await
        .map_err(|error| failed(&error))?;
    Ok(axum::Json(nodes.iter().flat_map(of_node).collect()))
}

fn of_node(node: &NodeRow) -> Vec<rest::UnclaimedMachine> {
    let machines: Vec<UnclaimedVm> =
        serde_json::from_value(node.unclaimed_vms.clone()).unwrap_or_default();
    let show = |machine: UnclaimedVm| rest::UnclaimedMachine {
        slave_id: node.facts.id,
        slave_name: node.name.to_string(),
        name: machine.name,
        running: machine.running,
        cpus: machine.size.cpus,
        memory_bytes: machine.size.memory.get(),
        disk_bytes: machine.size.disk.get(),
        details: machine.details,
    };
    machines.into_iter().map(show).collect()
}
