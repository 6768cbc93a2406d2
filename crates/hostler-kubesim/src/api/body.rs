//! Bodies of answers: whole ones, and those of watches, which go on.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::{HeaderMap, Response, StatusCode, header};

use super::answer::{Answer, Content};
use super::serve::Shared;
use super::watch;

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An answer as HTTP.
pub(crate) fn response(answer: Answer, shared: &std::sync::Arc<Shared>) -> Response<Body> {
    let (kind, body) = match answer.content {
        Content::Json(bytes) => ("application/json", whole(bytes)),
        Content::Text(text) => ("text/plain; charset=utf-8", whole(text.into())),
        Content::Watch(one) => ("application/json", flowing(watch::stream(*one, shared))),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    mark(response.headers_mut(), kind, answer.retry_after);
    response
}

fn mark(headers: &mut HeaderMap, kind: &'static str, retry_after: Option<u32>) {
    headers.insert(CONTENT_TYPE, header::HeaderValue::from_static(kind));
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).boxed_unsync()
}

fn flowing(stream: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    StreamBody::new(stream.map(|bytes| Ok(Frame::data(bytes)))).boxed_unsync()
}
