//! Changing what a VM does: run, stand still, be off, begin anew. What was
//! asked for is true at once; what follows from it takes its time. Asking for
//! what is so already changes nothing.

use axum::extract::State;
use hostler_core::id::VmId;
use hostler_core::vm::{VmGoal, VmSeenState};
use hostler_store::{VmChange, VmRow};
use hostler_wire::rest;
use serde::Deserialize;

use super::{Changed, change, conflict, not_trashed};
use crate::http::auth::User;
use crate::http::error::ApiResult;
use crate::http::extract::{Path, Query};
use crate::state::App;
use crate::vms::Shape;

/// Wants the VM to run. One that failed, or shut itself down, is tried again.
#[utoipa::path(post, path = "/vms/{id}/start", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn start(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<Changed> {
    change(&app, &user, id, |row| started(row, "started")).await
}

/// How hard to stop.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopQuery {
    /// Switch it off at once, without asking the guest.
    #[serde(default)]
    force: bool,
}

/// Wants the VM to be off: the guest is asked, and switched off when its time
/// is over.
#[utoipa::path(post, path = "/vms/{id}/stop", tag = "vms",
    params(("id" = uuid::Uuid, Path), StopQuery),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn stop(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
    Query(query): Query<StopQuery>,
) -> ApiResult<Changed> {
    change(&app, &user, id, |row| Ok(stopped(row, query.force))).await
}

/// Reboots the VM, once for each request. One that is off is started.
#[utoipa::path(post, path = "/vms/{id}/restart", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn restart(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<Changed> {
    let decide = |row: &VmRow| {
        not_trashed(row)?;
        let off = !row.facts.goal.is_active() || row.facts.seen_now() == Some(VmSeenState::Stopped);
        if off {
            return started(row, "started");
        }
        Ok(Some(VmChange {
            kind: "restarted",
            goal: Some(VmGoal::Running),
            reboot: true,
            ..VmChange::default()
        }))
    };
    change(&app, &user, id, decide).await
}

/// Wants the VM to stand still, in memory.
#[utoipa::path(post, path = "/vms/{id}/pause", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn pause(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<Changed> {
    let decide = |row: &VmRow| match row.facts.goal {
        VmGoal::Paused => Ok(None),
        VmGoal::Running => Ok(Some(goal("paused", VmGoal::Paused))),
        VmGoal::Stopped | VmGoal::Gone => Err(conflict("this VM is off", "start it first")),
    };
    change(&app, &user, id, decide).await
}

/// Wants a VM that stands still to run.
#[utoipa::path(post, path = "/vms/{id}/resume", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = rest::Vm), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn resume(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<Changed> {
    let decide = |row: &VmRow| match row.facts.goal {
        VmGoal::Running => Ok(None),
        VmGoal::Paused => Ok(Some(goal("resumed", VmGoal::Running))),
        VmGoal::Stopped | VmGoal::Gone => Err(conflict("this VM is off", "start it instead")),
    };
    change(&app, &user, id, decide).await
}

fn goal(kind: &'static str, goal: VmGoal) -> VmChange {
    VmChange {
        kind,
        goal: Some(goal),
        ..VmChange::default()
    }
}

fn started(row: &VmRow, kind: &'static str) -> ApiResult<Option<VmChange>> {
    not_trashed(row)?;
    let at_rest = matches!(
        row.facts.seen_now(),
        Some(VmSeenState::Failed | VmSeenState::Stopped)
    );
    if row.facts.goal == VmGoal::Running && !at_rest {
        return Ok(None);
    }
    let shape = Shape {
        is_forced: false,
        ..Shape::of(row)
    };
    Ok(Some(VmChange {
        shape: Some(shape.value()),
        ..goal(kind, VmGoal::Running)
    }))
}

fn stopped(row: &VmRow, force: bool) -> Option<VmChange> {
    let shape = Shape::of(row);
    let off = row.facts.goal == VmGoal::Stopped;
    if off && (shape.is_forced || !force) {
        return None;
    }
    let shape = Shape {
        is_forced: force,
        ..shape
    };
    Some(VmChange {
        shape: Some(shape.value()),
        ..goal("stopped", VmGoal::Stopped)
    })
}
