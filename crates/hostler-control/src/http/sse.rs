//! Answers without an end. They end all the same: when the process stops, and
//! soon after the token or session that opened them ended.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive, KeepAliveStream};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};

use super::auth::{User, still_holds};
use crate::state::App;

/// How often a token is looked at again.
const RECHECK: Duration = Duration::from_secs(10);

/// An answer of server-sent events.
pub(crate) type Answer = Sse<KeepAliveStream<BoxStream<'static, Result<Event, Infallible>>>>;

/// These events, as long as `user` may see them.
pub(crate) fn answer<S>(app: &App, user: &User, events: S) -> Answer
where
    S: Stream<Item = Event> + Send + 'static,
{
    let over = over(app.clone(), user.clone());
    let events = events.map(Ok).take_until(Box::pin(over)).boxed();
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn over(app: App, user: User) {
    let stop = app.stop.clone();
    loop {
        let paused = stop.run_until_cancelled(tokio::time::sleep(RECHECK)).await;
        let void = matches!(still_holds(&app, &user).await, Ok(false));
        if paused.is_none() || void {
            return;
        }
    }
}

/// The id after which a client that was cut off wants to continue.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok()
}
