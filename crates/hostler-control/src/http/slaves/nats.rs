//! `PUT /slaves/nats`: a node names the key with which it will prove itself to
//! the control NATS, and is told where that is. The pair is the node's own and
//! its seed never leaves it; no secret of anybody else is handed out.

use axum::extract::State;
use hostler_core::access::Policy;
use hostler_store::By;
use hostler_wire::nats::nkey::{KeyPairType, is_public_key};
use hostler_wire::rest;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::Json;
use crate::state::App;

/// Lets the calling node into the control NATS with this key.
#[utoipa::path(put, path = "/slaves/nats", tag = "nodes", request_body = rest::NodeNatsKey,
    responses((status = 200, body = rest::NodeNats), (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn nats(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<rest::NodeNatsKey>,
) -> ApiResult<axum::Json<rest::NodeNats>> {
    let Caller::Node(node) = caller else {
        return Err(ApiError::missing_policy(Policy::NodesCreate));
    };
    // It becomes part of the server's configuration: nothing but a key may.
    if !is_public_key(&body.public_key, &KeyPairType::User) {
        let text = "public_key: is not the public key of a NATS user".to_owned();
        return Err(ApiError::invalid(&[text]));
    }
    let by = By::new(node.name.as_str(), app.now());
    let id = node.facts.id;
    let kept = app.store.node_nats_key_set(&by, id, &body.public_key).await;
    let known = kept.map_err(|error| ApiError::internal("keeping a node's key", &error))?;
    if !known {
        return Err(ApiError::new(Code::Gone, "this node was unregistered"));
    }
    app.passes.wake_all();
    let url = app.node_nats.clone();
    Ok(axum::Json(rest::NodeNats { url }))
}
