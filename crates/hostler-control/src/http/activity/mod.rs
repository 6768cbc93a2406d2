//! `/activity`: what happened, as history and as it happens, in one shape.

mod history;
mod live;

pub(crate) use history::*;
pub(crate) use live::*;

use hostler_core::access::Reach;
use hostler_core::id::EventId;
use hostler_store::{Event, EventFilter};
use hostler_wire::rest;

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use hostler_wire::convert::datetime;

fn show(event: Event) -> rest::ActivityEntry {
    rest::ActivityEntry {
        id: event.id,
        at: datetime(event.at),
        kind: event.kind,
        actor: event.actor,
        project: event.project,
        subject: event.subject,
        text: event.text,
        data: event.data,
    }
}

/// What a caller may see of the history: all, or their projects'.
fn filter(user: &User, subject: Option<String>) -> EventFilter {
    EventFilter {
        projects: match user.reach() {
            Reach::Everywhere => None,
            Reach::Projects(projects) => Some(projects.into_iter().map(String::from).collect()),
        },
        subject,
    }
}

fn event_id(text: &str) -> ApiResult<EventId> {
    text.parse().map_err(|error: hostler_core::id::IdError| {
        ApiError::new(Code::BadRequest, error.to_string())
    })
}
