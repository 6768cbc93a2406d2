//! The handshake (protocol 6.3): the sign to the node that this agent listens.
//! Said when the subscriptions stand, and again after every reconnect, because
//! the node that answers may be a new one that knows nothing of us.

use std::time::Duration;

use async_nats::{Client, Request};
use chrono::{DateTime, Utc};
use hostler_wire::agent::{HandshakeRequest, Message as _, subject};

/// How long one handshake waits for its answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The pause after "nobody listens" or a lost connection; a missing answer
/// has taken its time already.
const PAUSE: Duration = Duration::from_millis(50);

/// Shakes hands until the node has answered. Never gives up by itself.
pub(crate) async fn shake(client: &Client, request: &HandshakeRequest) {
    let subject = subject::handshake(&request.id);
    loop {
        // Read anew each time: an aged reading would shorten every lease.
        let request = HandshakeRequest {
            clock_ms: Some(crate::lease::clock_ms()),
            ..request.clone()
        };
        let asked = Request::new()
            .payload(request.encode().into())
            .timeout(Some(PATIENCE));
        match client.send_request(subject.clone(), asked).await {
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(%error, "no answer to the handshake yet");
                if error.kind() != async_nats::RequestErrorKind::TimedOut {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// What this agent says of itself.
pub(crate) fn request(slot: &str, started: DateTime<Utc>, origin: &str) -> HandshakeRequest {
    let isolation = crate::service::isolation().join(",");
    HandshakeRequest {
        id: slot.to_owned(),
        start_time: started,
        message: format!("{origin}; isolation: {isolation}"),
        clock_ms: None,
    }
}
