//! Why a workload is where it is, or where it would go: every node with its
//! reasons, from the same code that places. Nothing is changed.

use std::collections::BTreeMap;

use axum::extract::State;
use hostler_core::Bytes;
use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::placement::{Fleet, Outcome, Unit, Verdict};
use hostler_wire::rest;

use super::create::checked;
use super::{failed, find};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{Json, Path};
use crate::passes::{load_fleet, unit_of};
use crate::state::App;

/// Where this workload would be placed now, were it not seated.
#[utoipa::path(get, path = "/workloads/{id}/explain", tag = "workloads",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = rest::Explanation),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn explain(
    State(app): State<App>,
    user: User,
    Path(id): Path<WorkloadId>,
) -> ApiResult<axum::Json<rest::Explanation>> {
    let row = find(&app, &user, id).await?;
    let unit = unit_of(&row);
    answer(&app, &unit, row.facts.seat).await
}

/// Where such a workload would be placed now. Nothing is made.
#[utoipa::path(post, path = "/workloads/explain", tag = "workloads",
    request_body = rest::WorkloadCreate,
    responses((status = 200, body = rest::Explanation),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn explain_new(
    State(app): State<App>,
    user: User,
    Json(body): Json<rest::WorkloadCreate>,
) -> ApiResult<axum::Json<rest::Explanation>> {
    let asked = checked(&user, body)?;
    let unit = Unit {
        id: WorkloadId::from_uuid(uuid::Uuid::nil()),
        project: asked.project,
        resources: asked.resources,
        disk: Bytes::default(),
        labels: asked.labels,
        rules: asked.rules,
    };
    answer(&app, &unit, None).await
}

async fn answer(
    app: &App,
    unit: &Unit,
    seat: Option<NodeId>,
) -> ApiResult<axum::Json<rest::Explanation>> {
    let _turn = app.explaining.try_acquire().map_err(|_| busy())?;
    let loaded = load_fleet(app).await.map_err(|error| failed(&error))?;
    let mut fleet = loaded.fleet;
    if let Some(seat) = seat {
        fleet.unit_unseat(unit, seat);
    }
    let names = loaded.names;
    Ok(axum::Json(told(&mut fleet, unit, seat, &names)))
}

pub(crate) fn busy() -> ApiError {
    ApiError::new(
        Code::TooMany,
        "too many explanations are being made at this moment",
    )
    .hint("ask again in a second")
}

pub(crate) fn told(
    fleet: &mut Fleet,
    unit: &Unit,
    seat: Option<NodeId>,
    names: &BTreeMap<NodeId, String>,
) -> rest::Explanation {
    let verdicts = fleet.explain(unit);
    let name = |id: NodeId| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let goes = match fleet.place(unit) {
        Ok(node) => format!("it would be placed on {}", name(node)),
        Err(refusal) => refusal.to_string(),
    };
    let sits = seat.map(|node| format!("it is seated on {}; without that seat ", name(node)));
    rest::Explanation {
        policy: fleet.policy().to_string(),
        summary: format!("{}{goes}", sits.unwrap_or_default()),
        nodes: verdicts.iter().map(|verdict| one(verdict, &name)).collect(),
    }
}

fn one(verdict: &Verdict, name: &impl Fn(NodeId) -> String) -> rest::NodeVerdict {
    rest::NodeVerdict {
        slave_id: verdict.node,
        slave_name: name(verdict.node),
        chosen: verdict.outcome == Outcome::Chosen,
        possible: verdict.outcome != Outcome::Refused,
        reasons: verdict.reasons.iter().map(ToString::to_string).collect(),
    }
}
