//! Requests to HTTP servers, to addresses that functions may reach.
//!
//! An address is judged where it is used: a literal one in the URL before the
//! request, those of a name as they are resolved for the connection, so that
//! no later answer of a name server can put another in its place. Redirects
//! are followed here, each judged anew. Nothing of a connection is kept for
//! the next call, and the machine's proxy is not used.

mod resolve;
mod target;

use std::sync::Arc;

use bytes::BytesMut;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Failure, causes, needed, unknown_method};
use super::{Call, HttpOptions};
use resolve::Guarded;

/// The client of a node.
pub(super) struct Http {
    options: HttpOptions,
    client: Result<Client, String>,
}

impl Http {
    /// A client within these bounds.
    pub(super) fn new(options: HttpOptions) -> Self {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Fails only if another thread was faster, with the same result.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = Client::builder()
            .dns_resolver(Arc::new(Guarded::new(options.addresses.clone())))
            .redirect(Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .user_agent(concat!("hostler/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| causes(&error));
        Self { options, client }
    }

    /// Carries out a call.
    pub(super) async fn answer(&self, call: &Call) -> Answer {
        let method = match call.method.as_str() {
            "get" => Method::GET,
            "head" => Method::HEAD,
            "delete" => Method::DELETE,
            "post" => Method::POST,
            "put" => Method::PUT,
            "patch" => Method::PATCH,
            _ => return Err(unknown_method()),
        };
        let url = needed(call.name.as_ref(), "url")?;
        let failed =
            |text: String| Failure::One(format!("failed to complete HTTP request: {text}"));
        if call.body.len() > self.options.body_bytes {
            return Err(failed(format!(
                "a body of {} bytes is too large",
                call.body.len()
            )));
        }
        let url = Url::parse(url).map_err(|error| Failure::One(format!("bad url: {error}")))?;
        let done = tokio::time::timeout(self.options.patience, self.send(method, url, call));
        let done = done.await.unwrap_or_else(|_| Err("timeout".to_owned()));
        done.map_err(failed)
    }

    async fn send(
        &self,
        mut method: Method,
        mut url: Url,
        call: &Call,
    ) -> Result<bytes::Bytes, String> {
        let client = self.client.as_ref().map_err(String::clone)?;
        for _ in 0..=self.options.redirects {
            target::check(&url, &self.options)?;
            let mut request = client.request(method.clone(), url.clone());
            request = request
                .header("Accept", "*/*")
                .header("Accept-Language", "en-us");
            if [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
                request = request
                    .header("Content-Type", "text/plain")
                    .body(call.body.clone());
            }
            let response = request.send().await.map_err(|error| causes(&error))?;
            match redirect(&response, &url) {
                Some(next) => url = next,
                None => return self.read(response).await,
            }
            method = method_after(response.status(), method);
        }
        Err(format!("more than {} redirects", self.options.redirects))
    }

    async fn read(&self, mut response: Response) -> Result<bytes::Bytes, String> {
        let most = self.options.body_bytes;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| causes(&error))? {
            if body.len() + chunk.len() > most {
                return Err(format!("the response is larger than {most} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = json!({
            "status": response.status().as_u16(),
            "headers": headers_of(response.headers()),
            "body": String::from_utf8_lossy(&body),
        });
        Ok(answer.to_string().into())
    }
}

/// Where a response sends us, if it does.
fn redirect(response: &Response, from: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

/// How one asks after a redirect: with the same method and body only where the
/// status says so.
fn method_after(status: StatusCode, method: Method) -> Method {
    match (status.as_u16(), &method) {
        (303, &Method::HEAD) => method,
        (303, _) | (301 | 302, &Method::POST) => Method::GET,
        _ => method,
    }
}

/// Names as Go writes them, each with all its values.
fn headers_of(headers: &HeaderMap) -> Value {
    let mut all = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let values = all
            .entry(go_name(name.as_str()))
            .or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(value.into());
        }
    }
    all.into()
}

/// `content-type` is `Content-Type`.
fn go_name(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or(("", ""));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_are_written_as_go_does() {
        let check = |name: &str, expected: &str| assert_eq!(go_name(name), expected);
        check("content-type", "Content-Type");
        check("x-a--b", "X-A--B");
        check("etag", "Etag");
        check("", "");
    }

    #[test]
    fn a_method_changes_with_a_redirect_where_it_must() {
        let check = |status: u16, method: Method, expected: Method| {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(method_after(status, method), expected);
        };
        check(301, Method::POST, Method::GET);
        check(302, Method::GET, Method::GET);
        check(302, Method::PUT, Method::PUT);
        check(303, Method::PUT, Method::GET);
        check(303, Method::HEAD, Method::HEAD);
        check(307, Method::POST, Method::POST);
        check(308, Method::PATCH, Method::PATCH);
    }
}
