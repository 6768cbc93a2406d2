//! Requests and answers, as short as tests need them.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::ADMIN;

/// A request that is being written. Without another word an administrator's.
pub(crate) struct Ask {
    builder: axum::http::request::Builder,
    body: Body,
    proven: bool,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Ask {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self {
            builder: Request::builder().method(method).uri(path),
            body: Body::empty(),
            proven: false,
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// As whoever has this token.
    pub(crate) fn token(mut self, secret: &str) -> Self {
        self.proven = true;
        self.header("authorization", &format!("Bearer {secret}"))
    }

    /// As the node that has this key.
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.proven = true;
        self.header("x-slave-token", key)
    }

    /// Over a connection from this address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        let peer = SocketAddr::new(address.parse().unwrap(), 4_000);
        self.builder = self.builder.extension(ConnectInfo(peer));
        self
    }

    /// As nobody.
    pub(crate) fn anonymous(mut self) -> Self {
        self.proven = true;
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    /// A body that claims to be JSON.
    pub(crate) fn text(self, body: &str) -> Self {
        self.header("content-type", "application/json")
            .bytes(body.as_bytes())
    }

    pub(crate) fn bytes(mut self, body: &[u8]) -> Self {
        self.body = Body::from(body.to_vec());
        self
    }

    fn build(self) -> Request<Body> {
        let asked = if self.proven { self } else { self.token(ADMIN) };
        asked.builder.body(asked.body).unwrap()
    }

    /// Sends it and reads the whole answer.
    pub(crate) async fn send(self, router: &Router) -> Answer {
        let response = self.open(router).await;
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// Sends it and leaves the body to be read.
    pub(crate) async fn open(self, router: &Router) -> axum::response::Response {
        router.clone().oneshot(self.build()).await.unwrap()
    }
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The body, of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status.as_u16(), status, "{text}");
        self.json()
    }

    /// The error text, of an answer with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> String {
        let kind = self.headers.get(header::CONTENT_TYPE).cloned();
        let body = self.expect(status);
        assert_eq!(kind.unwrap(), "application/json");
        assert_eq!(body["code"], code, "{body}");
        body["error"].as_str().unwrap().to_owned()
    }
}
