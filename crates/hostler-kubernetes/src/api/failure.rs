//! What an answer means that is not the one that was wished for.

use std::error::Error as _;
use std::time::Duration;

use hostler_runners::jobs::BookError;
use hostler_runners::provider::ProviderError;
use kube::core::Status;

/// A call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Failure {
    /// The API server said no.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// It said nothing, or nothing that can be understood.
    #[error("the API server did not answer: {0}")]
    Silent(String),
}

/// Waits for an answer, but not for longer.
pub(crate) async fn within<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(patience, call).await {
        Ok(answer) => answer.map_err(Failure::from),
        Err(_) => Err(Failure::Silent(format!("nothing within {patience:?}"))),
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            other => Self::Silent(innermost(&other)),
        }
    }
}

/// The cause that all others follow from: the outer ones say only that there
/// was a connection.
fn innermost(error: &kube::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        said = cause.to_string();
        next = cause.source();
    }
    said
}

impl Failure {
    fn code(&self) -> u16 {
        match self {
            Self::Refused(status) => status.code,
            Self::Silent(_) => 0,
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Refused(status) => &status.reason,
            Self::Silent(_) => "",
        }
    }

    /// There is no such object, or no such kind of object.
    pub(crate) fn is_missing(&self) -> bool {
        self.code() == 404
    }

    /// The name is taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.code() == 409 && self.reason() == "AlreadyExists"
    }

    /// Somebody else wrote it in the meantime.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code() == 409
    }

    /// A right is missing.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.code(), 401 | 403)
    }

    /// What was to be gone on with is no longer in the history.
    pub(crate) fn is_expired(&self) -> bool {
        self.code() == 410
    }

    fn pause(&self) -> Option<Duration> {
        let Self::Refused(status) = self else {
            return None;
        };
        let seconds = status.details.as_ref()?.retry_after_seconds;
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    /// As the manager understands it. A full quota and a missing right are both
    /// answered with 403; only the words tell them apart.
    pub(crate) fn provider(&self) -> ProviderError {
        let text = self.to_string();
        match self.code() {
            403 if text.contains("exceeded quota") => ProviderError::Quota(text),
            401 | 403 | 404 => ProviderError::Denied(text),
            // A quota that many creations count against at once says so.
            409 | 429 => ProviderError::Throttled {
                retry_after: self.pause(),
                text,
            },
            400..500 => ProviderError::Invalid(text),
            _ => ProviderError::Unreachable(text),
        }
    }

    /// As the book of jobs says it.
    pub(crate) fn book(&self) -> BookError {
        match self.code() {
            409 => BookError::Conflict,
            429 => BookError::Unreachable(self.to_string()),
            400..500 => BookError::Denied(self.to_string()),
            _ => BookError::Unreachable(self.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, reason: &str, message: &str) -> Failure {
        let status = Status::failure(message, reason).with_code(code);
        Failure::Refused(Box::new(status))
    }

    #[track_caller]
    fn check(failure: &Failure, expected: &str, is_transient: bool) {
        let error = failure.provider();
        assert_eq!(error.reason().code.to_string(), expected, "{failure:?}");
        assert_eq!(error.is_transient(), is_transient, "{failure:?}");
    }

    #[test]
    fn an_answer_is_told_apart_by_what_to_do_next() {
        let quota = "pods \"a\" is forbidden: exceeded quota: few, requested: pods=1";
        check(&refused(403, "Forbidden", quota), "QuotaExceeded", false);
        let right = "pods is forbidden: User \"x\" cannot create resource \"pods\"";
        check(&refused(403, "Forbidden", right), "Denied", false);
        let ending = "because it is being terminated";
        check(&refused(403, "Forbidden", ending), "Denied", false);
        check(&refused(401, "Unauthorized", "no"), "Denied", false);
        check(
            &refused(404, "NotFound", "namespaces \"a\" not found"),
            "Denied",
            false,
        );
        check(&refused(422, "Invalid", "wrong"), "Invalid", false);
        check(&refused(429, "TooManyRequests", "later"), "Throttled", true);
        check(
            &refused(409, "Conflict", "resourcequotas: modified"),
            "Throttled",
            true,
        );
        check(
            &refused(500, "InternalError", "a fault"),
            "ProviderUnreachable",
            true,
        );
        check(
            &Failure::Silent("refused".into()),
            "ProviderUnreachable",
            true,
        );
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept() {
        let status = r#"{"code":429,"reason":"TooManyRequests","message":"later",
            "details":{"retryAfterSeconds":7}}"#;
        let failure = Failure::Refused(serde_json::from_str(status).unwrap());
        let expected = ProviderError::Throttled {
            retry_after: Some(Duration::from_secs(7)),
            text: "later".into(),
        };
        assert_eq!(failure.provider(), expected);
    }
}
