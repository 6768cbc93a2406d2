//! Reading requests: no body means the defaults, a wrong one is a bad request
//! that says what is right. The content type is not looked at.

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;

use super::answer::Problem;

/// The longest idempotency key.
const KEY: usize = 255;

/// A body, or its defaults when there is none.
pub(super) fn body<T: DeserializeOwned + Default>(bytes: &Bytes) -> Result<T, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    let wrong = |error: serde_json::Error| Problem::invalid(format!("the body is wrong: {error}"));
    serde_json::from_slice(bytes).map_err(wrong)
}

/// The idempotency key, if there is one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > KEY {
        let text = format!("an idempotency key has 1 to {KEY} printable characters");
        return Err(Problem::invalid(text));
    }
    Ok(Some(text.to_owned()))
}

/// A query string that could not be read.
pub(super) fn query(error: &QueryRejection) -> Problem {
    Problem::invalid(error.body_text())
}
