//! What a call fails with: words of the other side, or none of them.

use std::error::Error;

use reqwest::StatusCode;

use super::sse::SseError;
use crate::rest::ErrorBody;

/// Why a call did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is none.
    #[error("'{0}' is not an http or https address")]
    Address(String),
    /// No HTTP client can be made here.
    #[error("cannot set up HTTP")]
    Setup(#[source] reqwest::Error),
    /// The other side answered and refused.
    #[error("{}", refusal(*.status, .body))]
    Refused {
        /// The status.
        status: StatusCode,
        /// Its words.
        body: ErrorBody,
    },
    /// The other side was not reached, or stopped speaking.
    #[error(transparent)]
    Transport(#[from] Transport),
    /// The other side answered with something else than what was asked for.
    #[error("cannot read the answer of {url}: {problem}")]
    Unreadable {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// A stream of events is none.
    #[error("cannot read the events of {url}")]
    Events {
        /// What was asked.
        url: String,
        /// What is wrong with the stream.
        source: SseError,
    },
}

/// How the line failed.
#[derive(Debug, thiserror::Error)]
pub enum Transport {
    /// Nobody is there.
    #[error("cannot reach {url}: {problem}")]
    Connect {
        /// The address.
        url: String,
        /// The innermost cause, such as `Connection refused`.
        problem: String,
    },
    /// Somebody is there and did not answer in time. Whether it did what it
    /// was asked is not known.
    #[error("{url} did not answer in time")]
    Timeout {
        /// The address.
        url: String,
    },
    /// The connection broke. Whether it did what it was asked is not known.
    #[error("the connection to {url} broke: {problem}")]
    Broken {
        /// The address.
        url: String,
        /// The innermost cause.
        problem: String,
    },
}

impl ClientError {
    /// The error of a request to this address.
    pub(super) fn of(url: &str, error: &reqwest::Error) -> Self {
        let url = url.to_owned();
        let problem = innermost(error);
        Self::Transport(if error.is_connect() {
            Transport::Connect { url, problem }
        } else if error.is_timeout() {
            Transport::Timeout { url }
        } else {
            Transport::Broken { url, problem }
        })
    }

    /// The status, if the other side answered.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The other side's words, if it had any.
    pub fn body(&self) -> Option<&ErrorBody> {
        match self {
            Self::Refused { body, .. } => Some(body),
            _ => None,
        }
    }

    /// What to do about it, if the other side said so.
    pub fn hint(&self) -> Option<&str> {
        self.body()?.hint.as_deref()
    }

    /// Whether the other side knows no such thing.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Whether the present state forbids what was asked.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// Whether the same request may well succeed later: nobody was there, the
    /// line broke, or the other side said so.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}

fn refusal(status: StatusCode, body: &ErrorBody) -> String {
    match &body.hint {
        Some(hint) => format!("{} ({status}); {hint}", body.error),
        None => format!("{} ({status})", body.error),
    }
}

/// The last cause: what the system said.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}
