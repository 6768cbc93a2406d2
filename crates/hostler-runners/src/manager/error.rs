//! Why a request was not done, by what the caller can do about it.

use std::time::Duration;

use hostler_core::runner::{Reason, RunnerId};

use crate::jobs::BookError;

/// A request was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagerError {
    /// It is wrong in itself.
    #[error("{0}")]
    Invalid(String),
    /// There is no such runner, job or machine.
    #[error("{0}")]
    NotFound(String),
    /// The key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// It would leave too few runners, or make too many.
    #[error("{0}")]
    Bounds(String),
    /// These runners have work on them.
    #[error("there is work on {}; it can be moved only by force", ids(.0))]
    Busy(Vec<RunnerId>),
    /// The provider refused; nothing is left of the request, or will be soon.
    #[error("nothing was added: {}", reason.text)]
    Refused {
        /// Why.
        reason: Reason,
        /// When it may be tried again.
        retry_after: Option<Duration>,
    },
    /// The manager cannot take requests now.
    #[error("{0}")]
    Unavailable(String),
    /// It could not be written down, so nothing was done.
    #[error("the book of jobs did not take the request: {0}")]
    Book(#[from] BookError),
}

fn ids(ids: &[RunnerId]) -> String {
    let texts: Vec<&str> = ids.iter().map(RunnerId::as_str).collect();
    texts.join(", ")
}
