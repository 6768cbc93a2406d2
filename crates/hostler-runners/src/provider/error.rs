//! How a provider fails: by what the caller does next, not by how it happened.

use std::time::Duration;

use hostler_core::runner::{Reason, ReasonCode};

/// A provider did not do what it was asked. The text is the other side's own
/// words, without addresses or secrets of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A quota or limit is used up; asking again changes nothing by itself.
    #[error("a quota is used up: {0}")]
    Quota(String),
    /// There is no such machine to give now; another pool may have one.
    #[error("there is no capacity: {0}")]
    NoCapacity(String),
    /// A right is missing or a rule forbids it; a person has to act.
    #[error("the provider refuses: {0}")]
    Denied(String),
    /// The request is wrong in itself, and always will be.
    #[error("the provider calls the request wrong: {0}")]
    Invalid(String),
    /// Asked too often: nothing was done, the same may be asked after a pause.
    #[error("the provider asks for a pause: {text}")]
    Throttled {
        /// How long the pause should be, if it said so.
        retry_after: Option<Duration>,
        /// Its words.
        text: String,
    },
    /// No answer, or none that says what became of it: whether it was done is
    /// not known.
    #[error("the provider could not be reached: {0}")]
    Unreachable(String),
}

impl ProviderError {
    /// Whether the same order may well succeed a little later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unreachable(_))
    }

    /// The same as a reason.
    pub fn reason(&self) -> Reason {
        let (code, text) = match self {
            Self::Quota(text) => (ReasonCode::QuotaExceeded, text),
            Self::NoCapacity(text) => (ReasonCode::NoCapacity, text),
            Self::Denied(text) => (ReasonCode::Denied, text),
            Self::Invalid(text) => (ReasonCode::Invalid, text),
            Self::Throttled { text, .. } => (ReasonCode::Throttled, text),
            Self::Unreachable(text) => (ReasonCode::ProviderUnreachable, text),
        };
        Reason::new(code, text.as_str())
    }
}
