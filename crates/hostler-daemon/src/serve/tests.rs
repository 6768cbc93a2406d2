//! TLS with certificates made here, over loopback.

use std::path::Path;

use axum::extract::ConnectInfo;
use axum::routing::get;
use rcgen::CertifiedKey;
use reqwest::Certificate;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// Writes a certificate for `localhost` that signs itself; its text.
fn certificate_write(folder: &Path) -> (TlsFiles, String) {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let files = TlsFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
    };
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    (files, cert.pem())
}

fn client(trusted: &str) -> reqwest::Client {
    let trusted = Certificate::from_pem(trusted.as_bytes()).unwrap();
    let builder = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    builder.tls_certs_only([trusted]).build().unwrap()
}

struct Server {
    tls: Tls,
    port: u16,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<io::Result<()>>,
}

async fn server(files: TlsFiles) -> Server {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = Tls::open(files).await.unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
    let router = Router::new().route("/", get(peer));
    let stop = CancellationToken::new();
    let end = (stop.clone(), Duration::ZERO);
    let served = tokio::spawn(serve(listener, router, Some(tls.clone()), end));
    Server {
        tls,
        port,
        stop,
        served,
    }
}

#[tokio::test]
async fn who_trusts_the_certificate_is_answered_and_nobody_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let (files, trusted) = certificate_write(folder.path());
    let server = server(files).await;
    let url = format!("https://localhost:{}/", server.port);
    let answer = client(&trusted).get(&url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "127.0.0.1");
    let other = tempfile::tempdir().unwrap();
    let (_, stranger) = certificate_write(other.path());
    assert!(client(&stranger).get(&url).send().await.is_err());
    let clear = format!("http://localhost:{}/", server.port);
    assert!(client(&trusted).get(&clear).send().await.is_err());
    server.stop.cancel();
    tokio::time::timeout(PATIENCE, server.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = certificate_write(folder.path());
    let server = server(files.clone()).await;
    let url = format!("https://localhost:{}/", server.port);
    let (_, renewed) = certificate_write(folder.path());
    assert!(client(&renewed).get(&url).send().await.is_err());
    let known = server.tls.renew(None).await;
    assert!(known.is_some());
    assert!(client(&renewed).get(&url).send().await.is_ok());
    std::fs::write(&files.key, "no key").unwrap();
    server.tls.renew(None).await;
    assert!(client(&renewed).get(&url).send().await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = certificate_write(folder.path());
    std::fs::remove_file(&files.key).unwrap();
    let error = Tls::open(files).await.unwrap_err();
    assert!(error.to_string().contains("tls.key"), "{error}");
}
