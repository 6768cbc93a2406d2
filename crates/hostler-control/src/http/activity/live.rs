//! `GET /activity/live`: the history as it grows, as server-sent events. Each
//! carries its id, so a client that was cut off continues after the last one
//! it saw (`Last-Event-ID`, sent by browsers by themselves) and misses nothing.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::Event as SseEvent;
use futures::Stream;
use hostler_core::id::EventId;
use hostler_store::{Change, Event, EventFilter, StoreError};
use hostler_wire::rest;
use tokio::sync::broadcast;

use super::{event_id, filter, show};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::Query;
use crate::http::sse::{Answer, answer, last_event_id};
use crate::state::App;

/// How many events are read at once.
const BATCH: u64 = 500;

/// Other control planes give no hints: look without one, this often.
const FLOOR: Duration = Duration::from_secs(1);

/// What happens, from now on or from after an id, without an end.
#[utoipa::path(get, path = "/activity/live", tag = "activity", params(rest::ActivityQuery),
    responses((status = 200, body = rest::ActivityEntry, content_type = "text/event-stream"),
        (status = "4XX", body = rest::ErrorBody)))]
pub(crate) async fn live(
    State(app): State<App>,
    user: User,
    Query(query): Query<rest::ActivityQuery>,
    headers: HeaderMap,
) -> ApiResult<Answer> {
    let wanted = filter(&user, query.subject);
    let asked = last_event_id(&headers).or(query.after.as_deref());
    let hints = app.store.changes();
    let after = match asked.map(event_id).transpose()? {
        Some(id) => Some(id),
        None => newest(&app).await.map_err(|error| failed(&error))?,
    };
    let tail = Tail {
        app: app.clone(),
        wanted,
        after,
        hints,
        ready: Vec::new().into_iter(),
    };
    Ok(answer(&app, &user, tail.stream()))
}

async fn newest(app: &App) -> Result<Option<EventId>, StoreError> {
    let events = app
        .store
        .event_list(&EventFilter::default(), None, 1)
        .await?;
    Ok(events.last().map(|event| event.id))
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("reading the history", error)
}

/// A reader at the end of the history. It listens before it looks.
struct Tail {
    app: App,
    wanted: EventFilter,
    after: Option<EventId>,
    hints: broadcast::Receiver<Change>,
    ready: std::vec::IntoIter<Event>,
}

impl Tail {
    /// Ends when the store fails; the client comes back and continues.
    fn stream(self) -> impl Stream<Item = SseEvent> + Send {
        futures::stream::unfold(self, |mut tail| async move {
            let event = tail.next().await?;
            Some((sse(event), tail))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.next() {
                self.after = Some(event.id);
                return Some(event);
            }
            // Hints that came before this look are of no further use.
            while self.hints.try_recv().is_ok() {}
            let events = self.read().await.map_err(|error| failed(&error)).ok()?;
            if events.is_empty() {
                let _ = tokio::time::timeout(FLOOR, self.hints.recv()).await;
            }
            self.ready = events.into_iter();
        }
    }

    async fn read(&self) -> Result<Vec<Event>, StoreError> {
        // An empty history has no id to continue after: everything is new.
        let first = self.after.unwrap_or(EventId::from_uuid(uuid::Uuid::nil()));
        self.app
            .store
            .event_list(&self.wanted, Some(first), BATCH)
            .await
    }
}

fn sse(event: Event) -> SseEvent {
    let entry = show(event);
    let id = entry.id.to_string();
    let plain = SseEvent::default().id(id).event(entry.kind.clone());
    plain.json_data(&entry).unwrap_or_default()
}
