//! Everything the API does, one line each: method, path, what it demands of
//! the caller, handler. A test calls every line as every kind of caller.

use axum::Router;
use axum::http::Method;
use hostler_core::access::Policy::{
    ActivityGet, ArtifactsCreate, ArtifactsDelete, ArtifactsGet, AuditGet, ImagesCreate,
    ImagesDelete, ImagesGet, JoinTokensManage, MembersManage, MetricsGet, NodesCreate, NodesDelete,
    NodesDrain, NodesGet, NodesUpdate, OperationsCancel, OperationsGet, PoliciesGet, ProjectsGet,
    ProjectsManage, RolesManage, RunnersCreate, RunnersDelete, RunnersGet, TokensCreate,
    TokensDelete, TokensGet, UsersCreate, UsersDelete, UsersGet, UsersUpdate, VmsConsole,
    VmsCreate, VmsDelete, VmsDuplicate, VmsGet, VmsRecover, VmsRename, VmsScreenshot, VmsSnapshots,
    VmsStart, VmsStop, VmsUpdate, WorkloadsCreate, WorkloadsDelete, WorkloadsGet, WorkloadsLogs,
    WorkloadsUpdate,
};
use utoipa_axum::routes;

use super::auth::Demand::{Anyone, Node, PolicyOrJoin, PolicyOrNode, PolicyOrShare};
use super::auth::{demands, open};
use super::error::{ApiError, Code};
use super::table::Table;
use super::{
    activity, artifacts, audit, images, info, join_tokens, layers, openapi, operations, projects,
    runners, session, slaves, tokens, users, vms, workloads,
};
use crate::state::App;

const DELETE: Method = Method::DELETE;
const GET: Method = Method::GET;
const PATCH: Method = Method::PATCH;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;

/// The table of routes.
#[rustfmt::skip] // A table reads by columns.
#[allow(clippy::too_many_lines, reason = "it is a table")]
pub(crate) fn table(app: App) -> Table {
    let table = Table::new(app, openapi::description())
        .route(GET, "/", open(), routes!(info::root))
        .route(GET, "/health", open(), routes!(info::health))
        .route(GET, "/ready", open(), routes!(info::ready))
        .route(GET, "/metrics", demands(MetricsGet), routes!(info::metrics))

        .route(GET, "/slaves", demands(NodesGet), routes!(slaves::list))
        .route(POST, "/slaves", PolicyOrJoin(NodesCreate), routes!(slaves::register))
        .route(POST, "/slaves/heartbeat", Node, routes!(slaves::heartbeat))
        .route(PUT, "/slaves/nats", Node, routes!(slaves::nats))
        .route(GET, "/slaves/{id}", demands(NodesGet), routes!(slaves::get))
        .route(PATCH, "/slaves/{id}", demands(NodesUpdate), routes!(slaves::update))
        .route(DELETE, "/slaves/{id}", demands(NodesDelete), routes!(slaves::remove))
        .route(POST, "/slaves/{id}/drain", demands(NodesDrain), routes!(slaves::drain))
        .route(GET, "/join-tokens", demands(JoinTokensManage), routes!(join_tokens::list))
        .route(POST, "/join-tokens", demands(JoinTokensManage), routes!(join_tokens::create))
        .route(DELETE, "/join-tokens/{id}", demands(JoinTokensManage), routes!(join_tokens::delete))

        .route(GET, "/runners", demands(RunnersGet), routes!(runners::list))
        .route(POST, "/runners/add", demands(RunnersCreate), routes!(runners::add))
        .route(POST, "/runners/remove", demands(RunnersDelete), routes!(runners::remove))
        .route(GET, "/runners/{id}", demands(RunnersGet), routes!(runners::one))
        .route(GET, "/jobs", demands(RunnersGet), routes!(runners::jobs))
        .route(GET, "/jobs/{id}", demands(RunnersGet), routes!(runners::job))
        .route(GET, "/pools", demands(RunnersGet), routes!(runners::pools))
        .route(GET, "/nodes", demands(RunnersGet), routes!(runners::machines))
        .route(POST, "/nodes/{name}/adopt", demands(RunnersCreate), routes!(runners::adopt))
        .route(GET, "/doctor", demands(RunnersGet), routes!(runners::doctor))

        .route(GET, "/workloads", demands(WorkloadsGet), routes!(workloads::list))
        .route(POST, "/workloads", demands(WorkloadsCreate), routes!(workloads::create))
        .route(POST, "/workloads/explain", demands(WorkloadsGet), routes!(workloads::explain_new))
        .route(GET, "/workloads/{id}", demands(WorkloadsGet), routes!(workloads::get))
        .route(DELETE, "/workloads/{id}", demands(WorkloadsDelete), routes!(workloads::delete))
        .route(POST, "/workloads/{id}/start", demands(WorkloadsUpdate), routes!(workloads::start))
        .route(POST, "/workloads/{id}/stop", demands(WorkloadsUpdate), routes!(workloads::stop))
        .route(GET, "/workloads/{id}/explain", demands(WorkloadsGet), routes!(workloads::explain))
        .route(GET, "/workloads/{id}/logs", demands(WorkloadsLogs), routes!(workloads::logs))

        .route(GET, "/artifacts", demands(ArtifactsGet), routes!(artifacts::list))
        .unhurried(PUT, "/artifacts/{digest}", demands(ArtifactsCreate), routes!(artifacts::upload))
        .route(GET, "/artifacts/{digest}", demands(ArtifactsGet), routes!(artifacts::get))
        .route(DELETE, "/artifacts/{digest}", demands(ArtifactsDelete), routes!(artifacts::delete))
        .route(GET, "/artifacts/{digest}/content", PolicyOrNode(ArtifactsGet), routes!(artifacts::content))

        .route(GET, "/activity", demands(ActivityGet), routes!(activity::history))
        .route(GET, "/activity/live", demands(ActivityGet), routes!(activity::live))
        .route(GET, "/operations", demands(OperationsGet), routes!(operations::list))
        .route(GET, "/operations/{id}", demands(OperationsGet), routes!(operations::get))
        .route(POST, "/operations/{id}/cancel", demands(OperationsCancel), routes!(operations::cancel))

        .route(GET, "/tokens", demands(TokensGet), routes!(tokens::list))
        .route(POST, "/tokens", demands(TokensCreate), routes!(tokens::create))
        .route(DELETE, "/tokens/{id}", demands(TokensDelete), routes!(tokens::delete))
        .route(GET, "/policies", demands(PoliciesGet), routes!(tokens::policies))

        .route(POST, "/auth/login", open(), routes!(session::login))
        .route(POST, "/auth/logout", Anyone, routes!(session::logout))
        .route(GET, "/auth/me", Anyone, routes!(session::me))
        .route(POST, "/auth/change-password", Anyone, routes!(session::change_password))
        .route(GET, "/auth/settings", Anyone, routes!(session::settings))
        .route(PUT, "/auth/settings", Anyone, routes!(session::settings_set))
        .route(GET, "/auth/sessions", Anyone, routes!(session::sessions))
        .route(DELETE, "/auth/sessions/{id}", Anyone, routes!(session::session_end))
        .route(POST, "/auth/oidc/begin", open(), routes!(session::oidc_begin))
        .route(GET, "/auth/oidc/callback", open(), routes!(session::oidc_callback))
        .route(POST, "/auth/oidc/redeem", open(), routes!(session::oidc_redeem))

        .route(GET, "/users", demands(UsersGet), routes!(users::list))
        .route(POST, "/users", demands(UsersCreate), routes!(users::create))
        .route(GET, "/users/{id}", demands(UsersGet), routes!(users::get))
        .route(PATCH, "/users/{id}", demands(UsersUpdate), routes!(users::update))
        .route(DELETE, "/users/{id}", demands(UsersDelete), routes!(users::delete))
        .route(POST, "/users/{id}/policies", demands(UsersUpdate), routes!(users::policies))
        .route(POST, "/users/{id}/password", demands(UsersUpdate), routes!(users::password_reset))
        .route(GET, "/roles", demands(PoliciesGet), routes!(users::role_list))
        .route(PUT, "/roles/{name}", demands(RolesManage), routes!(users::role_set))
        .route(DELETE, "/roles/{name}", demands(RolesManage), routes!(users::role_delete))

        .route(GET, "/projects", demands(ProjectsGet), routes!(projects::list))
        .route(POST, "/projects", demands(ProjectsManage), routes!(projects::create))
        .route(GET, "/projects/{project}", demands(ProjectsGet), routes!(projects::get))
        .route(PATCH, "/projects/{project}", demands(ProjectsManage), routes!(projects::update))
        .route(DELETE, "/projects/{project}", demands(ProjectsManage), routes!(projects::delete))
        .route(GET, "/projects/{project}/members", demands(ProjectsGet), routes!(projects::members))
        .route(PUT, "/projects/{project}/members/{user}", demands(MembersManage), routes!(projects::member_set))
        .route(DELETE, "/projects/{project}/members/{user}", demands(MembersManage), routes!(projects::member_delete))

        .route(GET, "/audit", demands(AuditGet), routes!(audit::list))
        .unhurried(GET, "/audit/verify", demands(AuditGet), routes!(audit::verify));
    vm_routes(table)
}

/// The part of it that is about VMs and images.
#[rustfmt::skip] // A table reads by columns.
fn vm_routes(table: Table) -> Table {
    table
        .route(GET, "/vms", demands(VmsGet), routes!(vms::list))
        .route(POST, "/vms", demands(VmsCreate), routes!(vms::create))
        .route(GET, "/vms/unclaimed", demands(VmsRecover), routes!(vms::unclaimed))
        .route(POST, "/vms/unclaimed/{id}/adopt", demands(VmsRecover), routes!(vms::adopt))
        .route(DELETE, "/vms/unclaimed/{id}", demands(VmsRecover), routes!(vms::unclaimed_delete))
        .route(GET, "/vms/{id}", demands(VmsGet), routes!(vms::get))
        .route(PATCH, "/vms/{id}", demands(VmsUpdate), routes!(vms::update))
        .route(DELETE, "/vms/{id}", demands(VmsDelete), routes!(vms::delete))
        .route(POST, "/vms/{id}/start", demands(VmsStart), routes!(vms::start))
        .route(POST, "/vms/{id}/stop", demands(VmsStop), routes!(vms::stop))
        .route(POST, "/vms/{id}/restart", demands(VmsStart), routes!(vms::restart))
        .route(POST, "/vms/{id}/pause", demands(VmsStop), routes!(vms::pause))
        .route(POST, "/vms/{id}/resume", demands(VmsStart), routes!(vms::resume))
        .route(POST, "/vms/{id}/restore", demands(VmsDelete), routes!(vms::restore))
        .route(POST, "/vms/{id}/rename", demands(VmsRename), routes!(vms::rename))
        .route(POST, "/vms/{id}/duplicate", demands(VmsDuplicate), routes!(vms::duplicate))
        .route(GET, "/vms/{id}/explain", demands(VmsGet), routes!(vms::explain))
        .route(GET, "/vms/{id}/snapshots", demands(VmsSnapshots), routes!(vms::snapshots))
        .route(POST, "/vms/{id}/snapshots", demands(VmsSnapshots), routes!(vms::snapshot_create))
        .route(DELETE, "/vms/{id}/snapshots/{snapshot}", demands(VmsSnapshots), routes!(vms::snapshot_delete))
        .route(POST, "/vms/{id}/snapshots/{snapshot}/rollback", demands(VmsSnapshots), routes!(vms::rollback))
        .route(GET, "/vms/{id}/shares", demands(VmsConsole), routes!(vms::shares))
        .route(POST, "/vms/{id}/shares", demands(VmsConsole), routes!(vms::share_create))
        .route(DELETE, "/vms/{id}/shares/{share}", demands(VmsConsole), routes!(vms::share_delete))
        .route(GET, "/vms/{id}/console/{kind}", PolicyOrShare(VmsConsole), routes!(vms::console))
        .route(GET, "/vms/{id}/screenshot", demands(VmsScreenshot), routes!(vms::screenshot))

        .route(GET, "/images", demands(ImagesGet), routes!(images::list))
        .route(POST, "/images", demands(ImagesCreate), routes!(images::create))
        .route(POST, "/images/import", demands(ImagesCreate), routes!(images::import))
        .route(GET, "/images/{id}", demands(ImagesGet), routes!(images::get))
        .route(DELETE, "/images/{id}", demands(ImagesDelete), routes!(images::delete))
}

/// The whole API: the table, its description at `/openapi.json` and for people
/// at `/docs`, and what surrounds every request.
pub(crate) fn api(app: App) -> Router {
    let public_url = app.public_url.clone();
    let (router, description, _) = table(app).finish();
    let router = router
        .merge(openapi::pages(description, public_url))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so);
    layers::wrap(router)
}

async fn nothing_here() -> ApiError {
    ApiError::new(Code::NotFound, "there is nothing at this path").hint("GET /docs lists the paths")
}

async fn not_so() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "this path has no such method")
        .hint("GET /docs lists the paths")
}
