//! Answers of host services, as the original words them: some services speak
//! of an `error`, some of a list of `errors`.

use bytes::Bytes;
use serde_json::json;

/// The answer of a call that gives one.
pub(super) type Answer = Result<Bytes, Failure>;

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// `{"error":"…"}`
    One(String),
    /// `{"errors":["…"]}`
    Listed(String),
}

impl Failure {
    /// The text alone.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::One(text) | Self::Listed(text) => text,
        }
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Bytes {
        let value = match self {
            Self::One(text) => json!({ "error": text }),
            Self::Listed(text) => json!({ "errors": [text] }),
        };
        value.to_string().into()
    }
}

/// `{"success":true}`
pub(super) const SUCCESS: Bytes = Bytes::from_static(br#"{"success":true}"#);

/// The name that a call needs, which is a `what`.
pub(super) fn needed<'a>(name: Option<&'a String>, what: &str) -> Result<&'a str, Failure> {
    let given = name.map(String::as_str).filter(|name| !name.is_empty());
    given.ok_or_else(|| Failure::Listed(format!("{what} is required")))
}

/// The method is none of the service's. The original does not answer.
pub(super) fn unknown_method() -> Failure {
    Failure::One("invalid rpc request".to_owned())
}

/// An error with all its causes, in a line.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors print their causes themselves.
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
