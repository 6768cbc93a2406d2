//! The screen and the serial line of a VM: bytes carried between a person and
//! the VM's node, over an authenticated WebSocket, as long as both want and what
//! opened it (a share, a token, a session) holds. Nothing of them is written down.
//!
//! A browser cannot set headers on a WebSocket, so a secret may also come as a
//! subprotocol: `hostler.share.SECRET` or `hostler.token.TOKEN`, together with
//! `hostler.console`, which is the one that is answered.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{SinkExt as _, StreamExt as _};
use hostler_core::id::VmId;
use hostler_core::vm::VmSeenState;
use hostler_store::{ShareRow, VmRow};
use hostler_wire::client::{ClientError, Console, ConsoleKind, NodeClient};
use hostler_wire::rest;

use super::{conflict, failed, find};
use crate::http::auth::{CONSOLE_PROTOCOL, Caller, User, still_holds};
use crate::http::error::{ApiError, ApiResult, Code, chain};
use crate::http::extract::Path;
use crate::nodes::Line;
use crate::state::App;

/// How often it is asked whether what opened a console still holds.
const LOOK: Duration = Duration::from_secs(5);
/// How long a node may take to show a screen.
const PATIENCE: Duration = Duration::from_secs(15);

/// A console of a VM, as a WebSocket of binary messages.
#[utoipa::path(get, path = "/vms/{id}/console/{kind}", tag = "vms",
    params(("id" = uuid::Uuid, Path), ("kind" = String, Path, description = "`vnc` or `serial`.")),
    responses((status = 101, description = "The console."),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn console(
    State(app): State<App>,
    caller: Caller,
    Path((id, kind)): Path<(VmId, String)>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    let (row, opener) = admitted(&app, caller, id).await?;
    let kind: ConsoleKind = kind
        .parse()
        .map_err(|()| ApiError::not_found("console", &kind).hint("there are vnc and serial"))?;
    let upgrade = upgrade.map_err(|_| {
        ApiError::new(Code::BadRequest, "a console is a WebSocket")
            .hint("hostler vm console opens one")
    })?;
    let client = client(&app, &row).await?;
    let there = client
        .vm_console(id, kind)
        .await
        .map_err(|error| unreached(&error))?;
    let upgrade = upgrade.protocols([CONSOLE_PROTOCOL]);
    Ok(upgrade.on_upgrade(move |here| carry(app, opener, here, there)))
}

/// What a VM shows on its screen, as PNG.
#[utoipa::path(get, path = "/vms/{id}/screenshot", tag = "vms",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn screenshot(
    State(app): State<App>,
    user: User,
    Path(id): Path<VmId>,
) -> ApiResult<Response> {
    let row = find(&app, &user, id).await?;
    let client = client(&app, &row).await?;
    let picture = client.vm_screenshot(id, PATIENCE).await;
    let picture = picture.map_err(|error| unreached(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(picture)).into_response())
}

/// What a console was opened with; it ends soon after that does.
enum Opener {
    Share(ShareRow),
    User(User),
}

/// The VM, for who has the policy, or a share of this very VM.
async fn admitted(app: &App, caller: Caller, id: VmId) -> ApiResult<(VmRow, Opener)> {
    match caller {
        Caller::User(user) => Ok((find(app, &user, id).await?, Opener::User(user))),
        Caller::Guest(share) if share.vm == id => {
            let row = app.store.vm_get(id).await.map_err(|error| failed(&error))?;
            let row = row.ok_or_else(|| ApiError::not_found("vm", id))?;
            Ok((row, Opener::Share(*share)))
        }
        _ => Err(ApiError::not_found("vm", id)),
    }
}

/// A client of the node of a VM that is in memory.
async fn client(app: &App, row: &VmRow) -> ApiResult<NodeClient> {
    let shows = matches!(
        row.facts.seen.map(|seen| seen.state),
        Some(
            VmSeenState::Starting
                | VmSeenState::Running
                | VmSeenState::Paused
                | VmSeenState::Stopping
        )
    );
    let node = match row.facts.seat.filter(|_| shows) {
        Some(node) => app.store.node_get(node).await,
        None => Ok(None),
    };
    let node = node.map_err(|error| failed(&error))?;
    let node = node.ok_or_else(|| conflict("this VM does not run", "start it first"))?;
    let client = Line::default().client(&app.store, &node).await;
    client.map_err(|error| ApiError::internal("finding the way to a node", &error))
}

fn unreached(error: &ClientError) -> ApiError {
    tracing::warn!(error = %chain(error), "a node showed no console");
    match error {
        ClientError::Refused { body, .. } => ApiError::new(Code::Conflict, body.error.clone()),
        _ => ApiError::new(Code::Unavailable, "its node was not reached")
            .hint("see what its node's log says"),
    }
}

/// Carries messages both ways until one side, the opener or this process ends.
async fn carry(app: App, opener: Opener, here: WebSocket, mut there: Console) {
    let cut = match &opener {
        Opener::Share(share) => app.consoles.of(share.id),
        Opener::User(_) => app.stop.child_token(),
    };
    let (mut to_person, mut from_person) = here.split();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = cut.cancelled() => break,
            () = app.stop.cancelled() => break,
            _ = looks.tick() => if !holds(&app, &opener).await { break },
            typed = from_person.next() => match typed {
                Some(Ok(Message::Binary(bytes))) => if there.send(bytes).await.is_err() { break },
                Some(Ok(Message::Text(text))) => {
                    if there.send(text.as_str().to_owned().into()).await.is_err() { break }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            },
            shown = there.next() => match shown {
                Some(bytes) => if to_person.send(Message::Binary(bytes)).await.is_err() { break },
                None => break,
            },
        }
    }
    // Whoever went away already hears no farewell.
    let _ = to_person.send(Message::Close(None)).await;
    there.close().await;
}

/// Whether the share was neither revoked nor expired, or the user is still
/// proven to be who they were. A share that cannot be looked at has ended: who
/// has one is nobody that is known.
async fn holds(app: &App, opener: &Opener) -> bool {
    let share = match opener {
        Opener::Share(share) => share,
        Opener::User(user) => return !matches!(still_holds(app, user).await, Ok(false)),
    };
    let there = app.store.share_list(share.vm).await;
    let same = |other: &ShareRow| other.id == share.id && other.expires_at > app.now();
    there.is_ok_and(|shares| shares.iter().any(same))
}
