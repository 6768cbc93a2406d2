//! Requests to the provider: to where it says, within a time, and never on to
//! wherever an answer points.

use std::sync::OnceLock;
use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Why an answer could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the answer is no answer")]
    Answer(#[from] ::http::Error),
    #[error("the answer is longer than {LONGEST} bytes")]
    Long,
}

/// A client that follows no redirects.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Fails only if another thread was faster, with the same result.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
    });
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
}

pub(crate) async fn send(
    client: reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut builder = ::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        builder = builder.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > LONGEST {
            return Err(HttpError::Long);
        }
    }
    Ok(builder.body(body)?)
}
