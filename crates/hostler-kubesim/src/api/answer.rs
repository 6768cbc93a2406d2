//! What a call is answered with, before it is HTTP.

use bytes::Bytes;
use serde_json::Value;

use super::watch::Watch;
use crate::refusal::Refusal;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Json(Bytes),
    Text(&'static str),
    Watch(Box<Watch>),
}

impl Answer {
    pub(crate) fn json(code: u16, value: &Value) -> Self {
        Self::bytes(code, Bytes::from(value.to_string()))
    }

    pub(crate) fn bytes(code: u16, bytes: Bytes) -> Self {
        Self {
            code,
            retry_after: None,
            content: Content::Json(bytes),
        }
    }

    pub(crate) fn text(text: &'static str) -> Self {
        Self {
            code: 200,
            retry_after: None,
            content: Content::Text(text),
        }
    }

    pub(crate) fn watch(watch: Watch) -> Self {
        Self {
            code: 200,
            retry_after: None,
            content: Content::Watch(Box::new(watch)),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self {
            retry_after: refusal.retry_after,
            ..Self::json(refusal.code, &refusal.status())
        }
    }
}

impl From<Result<Self, Refusal>> for Answer {
    fn from(result: Result<Self, Refusal>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}
