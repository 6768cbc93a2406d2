//! HTTP for functions: what they reach, and what they do not by any way.

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{any, get};

use super::*;

/// A server on loopback; says what it was asked.
async fn web() -> SocketAddr {
    let to = |url: &'static str| get(move || async move { Redirect::temporary(url) });
    let said = |method: axum::http::Method, uri: axum::http::Uri, body: Bytes| async move {
        let status = if method == "POST" {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        (
            status,
            [("x-seen", "1")],
            format!("{method} {uri} {}", body.len()),
        )
    };
    let router = Router::new()
        .route(
            "/to-metadata",
            to("http://169.254.169.254/latest/meta-data"),
        )
        .route("/to-loopback", to("http://127.0.0.2/secret"))
        .route("/to-name", to("http://localhost.localdomain:1/"))
        .route("/to-file", to("file:///etc/passwd"))
        .route("/round", to("/round"))
        .route("/once", to("/a?b=c"))
        .route("/large", get(|| async { "x".repeat(100_001) }))
        .fallback(any(said));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn row_6_7_http_sends_the_url_unchanged_and_tells_of_the_response() {
    let (ground, web) = (ground(options()).await, web().await);
    let check = async |method: &str, path: &str, (status, body): (u16, &str)| {
        let url = format!("http://{web}{path}");
        let what = format!("http.{method}");
        let answer = ground.call(&what, &url, b"\x80\xff").await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer[0]).unwrap();
        assert_eq!(
            (&answer["status"], &answer["body"]),
            (&status.into(), &body.into())
        );
        assert_eq!(answer["headers"]["X-Seen"], serde_json::json!(["1"]));
    };
    check("get", "/a//b?c=d&e", (200, "GET /a//b?c=d&e 0")).await;
    check("head", "/a", (200, "")).await;
    check("delete", "/a", (200, "DELETE /a 0")).await;
    check("post", "/a?b", (201, "POST /a?b 2")).await;
    check("put", "/a", (200, "PUT /a 2")).await;
    check("patch", "/a", (200, "PATCH /a 2")).await;
    check("get", "/once", (200, "GET /a?b=c 0")).await;
    ground.check("http.get", "", Err("url is required")).await;
    ground.check("http.get", "no url", Err("bad url")).await;
    ground
        .check("http.trace", "http://x/", Err("invalid rpc request"))
        .await;
}

#[tokio::test]
async fn http_reaches_no_address_that_is_not_allowed_by_any_way() {
    let (ground, web) = (ground(options()).await, web().await);
    let port = web.port();
    let check = async |url: &str, part: &str| ground.check("http.get", url, Err(part)).await;
    check("http://169.254.169.254/latest/meta-data", "not allowed").await;
    check(&format!("http://127.0.0.2:{port}/a"), "not allowed").await;
    check(&format!("http://[::1]:{port}/a"), "not allowed").await;
    check(
        &format!("http://[::ffff:127.0.0.2]:{port}/a"),
        "not allowed",
    )
    .await;
    check("file:///etc/passwd", "not supported").await;
    check(&format!("http://a:b@127.0.0.1:{port}/"), "not supported").await;
    check(
        &format!("http://{web}/to-metadata"),
        "169.254.169.254 is not allowed",
    )
    .await;
    check(
        &format!("http://{web}/to-loopback"),
        "127.0.0.2 is not allowed",
    )
    .await;
    check(&format!("http://{web}/to-file"), "not supported").await;
    check(&format!("http://{web}/round"), "more than 10 redirects").await;
    check(&format!("http://{web}/large"), "larger than 100000 bytes").await;
}

#[tokio::test]
async fn http_by_name_reaches_only_what_is_allowed() {
    let web = web().await;
    let allowed = ground(options()).await;
    let url = format!("http://localhost:{}/a", web.port());
    let answer = allowed.call("http.get", &url, b"").await.unwrap();
    assert!(String::from_utf8_lossy(&answer[0]).contains("GET /a 0"));
    let usual = ServiceOptions {
        http: Some(HttpOptions {
            patience: PATIENCE,
            ..HttpOptions::default()
        }),
        ..options()
    };
    let usual = ground(usual).await;
    let denied = "localhost has no address that functions may reach";
    usual.check("http.get", &url, Err(denied)).await;
    let lines = format!("http://{web}/a\tb\u{1}");
    usual.check("http.get", &lines, Err("not allowed")).await;
}
