//! The node's HTTP API, for the control plane only.
//!
//! Every route but `/health` demands the key that the control plane gave this
//! node when it joined; before that, nobody gets in.

mod error;
mod key;
mod vms;

use std::path::PathBuf;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, put};
use axum::{Json, Router, middleware};
use hostler_core::id::WorkloadId;
use hostler_wire::node_api::{Ensure, Entry, HostInfo};
use hostler_wire::rest::Health;
use tokio::sync::watch;

use crate::host;
use crate::identity::ApiKey;
use crate::vms::Vms;
use crate::workloads::{Roster, Workloads};
use error::ApiError;

/// The largest body, in bytes: an order with a large environment.
const BODY_MAX: usize = 2 << 20;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) workloads: Workloads,
    pub(crate) vms: Option<Vms>,
    pub(crate) key: watch::Receiver<Option<ApiKey>>,
    pub(crate) data: PathBuf,
}

/// All routes.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/workloads/{id}", put(workload_ensure))
        .route("/workloads", get(workload_list))
        .route("/host/info", get(host_info))
        .merge(vms::routes())
        .route_layer(middleware::from_fn_with_state(api.clone(), key::demand))
        .route("/health", get(health))
        .fallback(|| async { ApiError::NoRoute })
        .method_not_allowed_fallback(|| async { ApiError::NoMethod })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(tower_http::catch_panic::CatchPanicLayer::new())
        .with_state(api)
}

async fn workload_ensure(
    State(api): State<Api>,
    id: Result<Path<WorkloadId>, PathRejection>,
    ensure: Result<Json<Ensure>, JsonRejection>,
) -> Result<Json<Entry>, ApiError> {
    let (Path(id), Json(ensure)) = (id?, ensure?);
    Ok(Json(api.workloads.ensure(id, ensure).await?))
}

async fn workload_list(State(api): State<Api>) -> Json<Vec<Entry>> {
    Json(entries(&api.workloads.roster().borrow()))
}

async fn host_info(State(api): State<Api>) -> Json<HostInfo> {
    Json(host::info(&api.data))
}

async fn health() -> Json<Health> {
    let status = "ok".to_owned();
    Json(Health { status })
}

/// The ledger as the control plane sees it.
pub(crate) fn entries(roster: &Roster) -> Vec<Entry> {
    roster
        .views
        .values()
        .filter_map(|view| view.entry())
        .collect()
}
