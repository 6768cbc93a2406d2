//! The cache over a control plane that is a few lines of the test.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::routing::get;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::*;

#[derive(Clone, Default)]
struct Plane {
    bytes: Arc<HashMap<String, Vec<u8>>>,
    fetches: Arc<AtomicU32>,
}

async fn content(
    State(plane): State<Plane>,
    UrlPath(digest): UrlPath<String>,
) -> Result<Vec<u8>, StatusCode> {
    plane.fetches.fetch_add(1, Ordering::Relaxed);
    let bytes = plane.bytes.get(&digest).cloned();
    bytes.ok_or(StatusCode::NOT_FOUND)
}

fn wanted(bytes: &[u8]) -> ArtifactRef {
    ArtifactRef {
        digest: HEXLOWER.encode(&Sha256::digest(bytes)),
        size: bytes.len() as u64,
        source: ArtifactSource::ControlPlane,
    }
}

async fn plane(artifacts: &[&[u8]]) -> (Plane, ControlClient) {
    let named = |bytes: &&[u8]| (wanted(bytes).digest, bytes.to_vec());
    let plane = Plane {
        bytes: Arc::new(artifacts.iter().map(named).collect()),
        ..Plane::default()
    };
    let router = Router::new()
        .route("/artifacts/{digest}/content", get(content))
        .with_state(plane.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (plane, ControlClient::new(&base, "").unwrap())
}

async fn cache(folder: &Path, max: u64, control: ControlClient) -> Artifacts {
    let key = watch::channel(Some(ApiKey::new("key"))).1;
    let nats = async_nats::ConnectOptions::new()
        .retry_on_initial_connect()
        .connect("nats://127.0.0.1:1")
        .await
        .unwrap();
    let sources = Sources {
        control: Some(control),
        key,
        nats,
    };
    Artifacts::open(folder, max, sources).unwrap()
}

#[tokio::test]
async fn many_who_want_one_artifact_fetch_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let (plane, control) = plane(&[b"abc"]).await;
    let cache = cache(folder.path(), 100, control).await;
    let wanted = wanted(b"abc");
    let all = (0..20).map(|_| cache.get(&wanted));
    for held in futures::future::join_all(all).await {
        let held = held.unwrap();
        assert_eq!(std::fs::read(&held.path).unwrap(), b"abc");
        assert_eq!((held.size, &held.digest), (3, &wanted.digest));
    }
    assert_eq!(plane.fetches.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_held_stays_and_the_rest_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let (plane, control) = plane(&[b"aaa", b"bbb", b"ccc"]).await;
    let cache = cache(folder.path(), 6, control).await;
    let held = cache.get(&wanted(b"aaa")).await.unwrap();
    drop(cache.get(&wanted(b"bbb")).await.unwrap());
    let third = cache.get(&wanted(b"ccc")).await.unwrap();
    assert!(held.path.exists());
    assert!(
        !folder
            .path()
            .join("artifacts")
            .join(wanted(b"bbb").digest)
            .exists()
    );
    let full = cache.get(&wanted(b"bbb")).await.unwrap_err();
    assert!(matches!(full, ArtifactError::NoRoom { .. }) && full.is_transient());
    drop(third);
    cache.get(&wanted(b"bbb")).await.unwrap();
    assert_eq!(plane.fetches.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_damaged_file_and_half_a_download_are_not_used_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (plane, control) = plane(&[b"abc"]).await;
    let first = cache(folder.path(), 100, control.clone()).await;
    let path = first.get(&wanted(b"abc")).await.unwrap().path.clone();
    std::fs::write(&path, b"abd").unwrap();
    let half = folder.path().join("artifacts/0000.part");
    std::fs::write(&half, b"a").unwrap();
    let second = cache(folder.path(), 100, control).await;
    assert!(!half.exists());
    let held = second.get(&wanted(b"abc")).await.unwrap();
    assert_eq!(std::fs::read(&held.path).unwrap(), b"abc");
    assert_eq!(plane.fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn other_bytes_than_promised_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_plane, control) = plane(&[b"abc"]).await;
    let cache = cache(folder.path(), 100, control).await;
    let mut longer = wanted(b"abc");
    longer.size = 4;
    let error = cache.get(&longer).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Size { .. }) && !error.is_transient());
    let left = std::fs::read_dir(folder.path().join("artifacts")).unwrap();
    assert_eq!(left.count(), 0);
}
