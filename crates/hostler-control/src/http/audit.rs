//! `/audit`: who changed what, when, from where. Nothing here changes it.

use axum::extract::State;
use hostler_store::{AuditFilter, AuditRow, StoreError};
use hostler_wire::convert::datetime;
use hostler_wire::rest;

use super::error::{ApiError, ApiResult};
use super::extract::Query;
use super::page::{page, page_size};
use crate::state::App;

/// The audit log, oldest first: the latest entries, or those after a number.
#[utoipa::path(get, path = "/audit", tag = "audit", params(rest::AuditQuery),
    responses((status = 200, body = rest::Page<rest::AuditEntry>),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<rest::AuditQuery>,
) -> ApiResult<axum::Json<rest::Page<rest::AuditEntry>>> {
    let size = page_size(query.limit);
    let filter = AuditFilter {
        actor: query.actor,
        subject: query.subject,
    };
    // Without `after` it is the newest page, and there is none after it.
    let limit = size as u64 + u64::from(query.after.is_some());
    let rows = app.store.audit_list(&filter, query.after, limit).await;
    let rows = rows.map_err(|error| failed(&error))?;
    let shown = rows.into_iter().map(show).collect();
    Ok(axum::Json(page(shown, size, |entry: &rest::AuditEntry| {
        entry.number.to_string()
    })))
}

fn show(row: AuditRow) -> rest::AuditEntry {
    let AuditRow { entry, hash } = row;
    rest::AuditEntry {
        number: entry.number,
        at: datetime(entry.at),
        actor: entry.actor,
        origin: entry.origin,
        action: entry.action,
        subject: entry.subject,
        project: entry.project,
        outcome: entry.outcome,
        detail: entry.detail,
        hash,
    }
}

/// Reads the whole log and says whether it is whole.
#[utoipa::path(get, path = "/audit/verify", tag = "audit",
    responses((status = 200, body = rest::AuditVerdict),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn verify(State(app): State<App>) -> ApiResult<axum::Json<rest::AuditVerdict>> {
    let end = app
        .store
        .audit_end()
        .await
        .map_err(|error| failed(&error))?;
    let read = app
        .store
        .audit_verify()
        .await
        .map_err(|error| failed(&error))?;
    let end = read.as_ref().copied().unwrap_or(end);
    Ok(axum::Json(rest::AuditVerdict {
        whole: read.is_ok(),
        entries: end.number,
        hash: end.hash,
        problem: read.err().map(|broken| broken.to_string()),
    }))
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("reading the audit log", error)
}
