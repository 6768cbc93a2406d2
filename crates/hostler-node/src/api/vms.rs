//! VMs: the control plane's orders, what there is to see, and the seed's API
//! for VMs of the node's own.

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hostler_core::id::VmId;
use hostler_core::vm::{VmGoal, VmSeenState};
use hostler_wire::node_api::{VmDefinition, VmEnsure, VmEntry};
use serde::Serialize;

use super::{Api, ApiError};
use crate::hypervisor::machines::Channel;
use crate::vms::{VmEnsureError, Vms};

mod console;
mod own;

/// All routes of VMs.
pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/vms", get(list).post(own::create))
        .route("/vms/{id}", get(one).put(ensure).delete(own::delete))
        .route("/vms/{id}/start", post(own::start))
        .route("/vms/{id}/stop", post(own::stop))
        .route("/vms/{id}/definition", get(definition))
        .route("/vms/{id}/stats", get(stats))
        .route("/vms/{id}/screenshot", get(screenshot))
        .route("/vms/{id}/console/vnc", get(vnc))
        .route("/vms/{id}/console/serial", get(serial))
}

type Id = Result<Path<VmId>, PathRejection>;

fn vms(api: &Api) -> Result<&Vms, ApiError> {
    api.vms.as_ref().ok_or(ApiError::Vm(VmEnsureError::NoVms))
}

async fn ensure(
    State(api): State<Api>,
    id: Id,
    ensure: Result<Json<VmEnsure>, JsonRejection>,
) -> Result<Json<VmEntry>, ApiError> {
    let (Path(id), Json(ensure)) = (id?, ensure?);
    Ok(Json(vms(&api)?.ensure(id, ensure).await?))
}

async fn list(State(api): State<Api>) -> Result<Json<Vec<VmEntry>>, ApiError> {
    let roster = vms(&api)?.roster();
    let entries = roster
        .borrow()
        .views
        .values()
        .map(|view| view.entry.clone())
        .collect();
    Ok(Json(entries))
}

async fn one(State(api): State<Api>, id: Id) -> Result<Json<VmEntry>, ApiError> {
    Ok(Json(entry(&api, id?.0)?))
}

async fn definition(State(api): State<Api>, id: Id) -> Result<Json<VmDefinition>, ApiError> {
    let Path(id) = id?;
    Ok(Json(vms(&api)?.definition(id).await?))
}

fn entry(api: &Api, id: VmId) -> Result<VmEntry, ApiError> {
    let roster = vms(api)?.roster();
    let roster = roster.borrow();
    let view = roster.views.get(&id);
    let entry = view.map(|view| view.entry.clone());
    entry.ok_or(ApiError::Vm(VmEnsureError::Unknown))
}

/// What a VM uses.
#[derive(Serialize)]
struct Stats {
    state: VmSeenState,
    /// Nanoseconds of processor time since its start.
    cpu_ns: u64,
    /// Bytes of the host's memory.
    memory: u64,
    /// Bytes its disks take.
    disk_used: u64,
}

async fn stats(State(api): State<Api>, id: Id) -> Result<Json<Stats>, ApiError> {
    let entry = entry(&api, id?.0)?;
    let roster = vms(&api)?.roster();
    let usage = roster
        .borrow()
        .views
        .get(&entry.id)
        .and_then(|view| view.usage);
    let usage = usage.unwrap_or_default();
    Ok(Json(Stats {
        state: entry.state,
        cpu_ns: usage.cpu_ns,
        memory: usage.memory,
        disk_used: entry.disk_used,
    }))
}

async fn screenshot(State(api): State<Api>, id: Id) -> Result<Response, ApiError> {
    let id = entry(&api, id?.0)?.id;
    let png = vms(&api)?.machinery().screens.screenshot(id).await?;
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((StatusCode::OK, headers, png).into_response())
}

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

async fn vnc(State(api): State<Api>, id: Id, upgrade: Upgrade) -> Result<Response, ApiError> {
    attach(&api, id?.0, Channel::Vnc, upgrade).await
}

async fn serial(State(api): State<Api>, id: Id, upgrade: Upgrade) -> Result<Response, ApiError> {
    attach(&api, id?.0, Channel::Serial, upgrade).await
}

/// Connects before it says yes, so that a refusal is an answer with a reason.
async fn attach(
    api: &Api,
    id: VmId,
    channel: Channel,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let id = entry(api, id)?.id;
    let upgrade = upgrade.map_err(|_| ApiError::NoUpgrade)?;
    let wire = vms(api)?.machinery().screens.open(id, channel).await?;
    let upgrade = upgrade.protocols(["binary"]);
    Ok(upgrade.on_upgrade(move |socket| console::carry(socket, wire)))
}

/// The answers of the seed's API to a goal: what is, as it is now.
async fn goal(api: &Api, id: VmId, goal: VmGoal) -> Result<VmEntry, ApiError> {
    Ok(vms(api)?.local_goal(id, goal).await?)
}
