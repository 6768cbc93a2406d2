//! Requests and answers, the same for both clients.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, StatusCode, Upgraded, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ClientError;
use super::sse::EventStream;
use crate::rest::ErrorBody;

/// Bytes as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes, ClientError>>;

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How often a silent connection is asked whether its other end is there.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// The most that is read of an answer that should be short.
const SHORT_ANSWER: usize = 64 << 20;

/// A base address and a way to ask it.
#[derive(Clone, Debug)]
pub(super) struct Http {
    base: Url,
    client: Client,
}

impl Http {
    /// A client of the service at this address; no request is made.
    pub(super) fn new(base: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address(base.to_owned());
        let url = Url::parse(base.trim_end_matches('/')).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong());
        }
        let client = builder(&url).build().map_err(ClientError::Setup)?;
        Ok(Self { base: url, client })
    }

    /// The same by HTTP/1.1 alone, which a WebSocket begins with.
    pub(super) fn without_http2(&self) -> Result<Self, ClientError> {
        let client = builder(&self.base).http1_only().build();
        Ok(Self {
            base: self.base.clone(),
            client: client.map_err(ClientError::Setup)?,
        })
    }

    /// The address, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A request to a path below the base, one segment each.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> Call {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        Call {
            url: url.to_string(),
            builder: self.client.request(method, url),
        }
    }
}

/// Plain HTTP reads no certificates; one machine talking to itself needs no
/// proxy. Nothing here redirects, so a redirect is an answer like any other.
fn builder(base: &Url) -> ClientBuilder {
    provider_install();
    let mut builder = Client::builder()
        .connect_timeout(CONNECT_PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_keepalive(KEEPALIVE)
        .tcp_nodelay(true);
    if base.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    }
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    builder
}

/// Making a client panics in a process without a cryptography provider, even
/// for plain HTTP; the program has usually installed one before.
fn provider_install() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Fails only if another thread was faster, with the same result.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
    });
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// A request that is being made.
pub(super) struct Call {
    url: String,
    builder: RequestBuilder,
}

impl Call {
    /// The same with a change.
    pub(super) fn with(mut self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        self.builder = change(self.builder);
        self
    }

    /// The same with a JSON body.
    pub(super) fn json<T: Serialize>(self, body: &T) -> Self {
        self.with(|builder| builder.json(body))
    }

    /// The same with a query string.
    pub(super) fn query<T: Serialize>(self, query: &T) -> Self {
        self.with(|builder| builder.query(query))
    }

    /// The same with a deadline for request and answer together.
    pub(super) fn within(self, deadline: Duration) -> Self {
        self.with(|builder| builder.timeout(deadline))
    }

    /// Sends it; the answer is a JSON body.
    pub(super) async fn answer<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let (url, response) = self.send(&[]).await?;
        read(&url, response).await
    }

    /// Sends it; the answer is a JSON body with status 200, or with another
    /// status that says the same in other words, such as 503 of `/ready`.
    pub(super) async fn answer_also<T: DeserializeOwned>(
        self,
        also: StatusCode,
    ) -> Result<T, ClientError> {
        let (url, response) = self.send(&[also]).await?;
        read(&url, response).await
    }

    /// Sends it; the answer is a JSON body, or nothing with status 204.
    pub(super) async fn maybe<T: DeserializeOwned>(self) -> Result<Option<T>, ClientError> {
        let (url, response) = self.send(&[]).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        read(&url, response).await.map(Some)
    }

    /// Sends it; what is answered does not matter.
    pub(super) async fn done(self) -> Result<(), ClientError> {
        self.send(&[]).await.map(drop)
    }

    /// Sends it; the answer is bytes.
    pub(super) async fn bytes(self) -> Result<ByteStream, ClientError> {
        let (url, response) = self.send(&[]).await?;
        let piece = move |piece: Result<Bytes, _>| piece.map_err(|e| ClientError::of(&url, &e));
        Ok(response.bytes_stream().map(piece).boxed())
    }

    /// Sends it; the answer is bytes, and whether they begin where a `Range`
    /// header asked (status 206).
    pub(super) async fn part(self) -> Result<(bool, ByteStream), ClientError> {
        let (url, response) = self.send(&[]).await?;
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        let piece = move |piece: Result<Bytes, _>| piece.map_err(|e| ClientError::of(&url, &e));
        Ok((is_part, response.bytes_stream().map(piece).boxed()))
    }

    /// Sends it; the answer is events.
    pub(super) async fn events<T>(self) -> Result<EventStream<T>, ClientError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let url = self.url.clone();
        let accept = |builder: RequestBuilder| builder.header("accept", "text/event-stream");
        let bytes = self.with(accept).bytes().await?;
        Ok(super::sse::events(url, bytes))
    }

    /// Sends it; the answer is another protocol on the same connection, begun
    /// by an answer with this header.
    pub(super) async fn switch(
        self,
        (header, value): (&str, &str),
    ) -> Result<(String, Upgraded), ClientError> {
        let switching = StatusCode::SWITCHING_PROTOCOLS;
        let (url, response) = self.send(&[switching]).await?;
        let same = |held: &reqwest::header::HeaderValue| held == value;
        if response.status() != switching || !response.headers().get(header).is_some_and(same) {
            let problem = "it speaks on as before".to_owned();
            return Err(ClientError::Unreadable { url, problem });
        }
        let upgraded = response.upgrade().await;
        let upgraded = upgraded.map_err(|error| ClientError::of(&url, &error))?;
        Ok((url, upgraded))
    }

    async fn send(self, also: &[StatusCode]) -> Result<(String, Response), ClientError> {
        let Self { url, builder } = self;
        let response = builder
            .send()
            .await
            .map_err(|e| ClientError::of(&url, &e))?;
        let status = response.status();
        if status.is_success() || also.contains(&status) {
            return Ok((url, response));
        }
        let text = body(&url, response).await.unwrap_or_default();
        Err(ClientError::Refused {
            status,
            body: error_body(status, &text),
        })
    }
}

async fn read<T: DeserializeOwned>(url: &str, response: Response) -> Result<T, ClientError> {
    let bytes = body(url, response).await?;
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Unreadable {
        url: url.to_owned(),
        problem: error.to_string(),
    })
}

async fn body(url: &str, response: Response) -> Result<Vec<u8>, ClientError> {
    let mut pieces = response.bytes_stream();
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        whole.extend_from_slice(&piece.map_err(|error| ClientError::of(url, &error))?);
        if whole.len() > SHORT_ANSWER {
            return Err(ClientError::Unreadable {
                url: url.to_owned(),
                problem: format!("it is longer than {SHORT_ANSWER} bytes"),
            });
        }
    }
    Ok(whole)
}

/// The error envelope, or what can be said without one: a proxy's page, say.
fn error_body(status: StatusCode, text: &[u8]) -> ErrorBody {
    serde_json::from_slice(text).unwrap_or_else(|_| {
        let reason = status.canonical_reason().unwrap_or("an unknown status");
        let text = String::from_utf8_lossy(text);
        let line = text.lines().next().unwrap_or_default().trim();
        let short: String = line.chars().take(200).collect();
        ErrorBody {
            error: if short.is_empty() {
                reason.to_owned()
            } else {
                short
            },
            code: "unknown".to_owned(),
            hint: None,
            missing_policy: None,
        }
    })
}
