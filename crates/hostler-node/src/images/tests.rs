//! Images of strangers, a line that is cut, and what stays.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use hostler_wire::client::ControlClient;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::watch;

use super::{ImageSource, Images};
use crate::hypervisor::machines::MachineError;
use crate::identity::ApiKey;

/// A control plane with one artifact, whose line is cut in the middle once.
struct Plane {
    bytes: Vec<u8>,
    cuts: AtomicU32,
    asked: AtomicU32,
}

async fn content(State(plane): State<Arc<Plane>>, headers: HeaderMap) -> Response {
    plane.asked.fetch_add(1, Ordering::SeqCst);
    let range = headers.get("range").and_then(|range| range.to_str().ok());
    let from = range.and_then(|range| {
        let from = range.strip_prefix("bytes=")?.strip_suffix('-')?;
        from.parse::<usize>().ok()
    });
    let rest = plane.bytes[from.unwrap_or(0)..].to_vec();
    let status = if from.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    if plane.cuts.swap(0, Ordering::SeqCst) == 0 {
        return (status, rest).into_response();
    }
    let half = rest[..rest.len() / 2].to_vec();
    let pieces: Vec<std::io::Result<Vec<u8>>> = vec![Ok(half), Err(std::io::Error::other("cut"))];
    let body = Body::from_stream(futures::stream::iter(pieces));
    (status, body).into_response()
}

struct House {
    folder: TempDir,
    images: Images,
    plane: Arc<Plane>,
    digest: String,
}

impl House {
    async fn with(bytes: Vec<u8>, cuts: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let digest = HEXLOWER.encode(&Sha256::digest(&bytes));
        let plane = Arc::new(Plane {
            bytes,
            cuts: AtomicU32::new(cuts),
            asked: AtomicU32::new(0),
        });
        let router = Router::new()
            .route("/artifacts/{digest}/content", get(content))
            .with_state(Arc::clone(&plane));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let source = ImageSource {
            control: Some(ControlClient::new(&url, "").unwrap()),
            key: watch::channel(Some(ApiKey::new("key"))).1,
        };
        let images = Images::open(folder.path(), 0, source, true).unwrap();
        Self {
            folder,
            images,
            plane,
            digest,
        }
    }

    async fn fetch(&self, format: &str) -> Result<(), MachineError> {
        let bytes = self.plane.bytes.len() as u64;
        self.images.fetch(&self.digest, bytes, format).await
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("images")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

fn qemu_img(folder: &Path, arguments: &[&str]) {
    let ran = Command::new("qemu-img")
        .args(arguments)
        .current_dir(folder)
        .output();
    let ran = ran.expect("qemu-img: scripts/setup test installs it");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The bytes of an image that `qemu-img create` makes of these words.
fn made(arguments: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other"), vec![0; 65_536]).unwrap();
    qemu_img(folder.path(), &[&["create", "-q"], arguments].concat());
    std::fs::read(folder.path().join("image")).unwrap()
}

async fn check(bytes: Vec<u8>, format: &'static str, why: &'static str) {
    let house = House::with(bytes, 0).await;
    let refused = house.fetch(format).await;
    let Err(MachineError::Refused(text)) = &refused else {
        panic!("{refused:?}");
    };
    assert!(text.contains(why), "{text}");
    assert_eq!(house.files(), Vec::<String>::new(), "nothing of it is kept");
}

#[tokio::test]
async fn an_image_that_is_not_all_there_is_of_it_is_refused() {
    let backed = [
        "-f",
        "qcow2",
        "-b",
        "/etc/passwd",
        "-F",
        "raw",
        "image",
        "1M",
    ];
    check(made(&backed), "qcow2", "a layer over another file").await;
    let elsewhere = [
        "-f",
        "qcow2",
        "-o",
        "data_file=other,data_file_raw=on",
        "image",
        "64K",
    ];
    check(made(&elsewhere), "qcow2", "another file").await;
}

#[tokio::test]
async fn an_image_that_is_absurd_or_no_image_is_refused() {
    check(
        made(&["-f", "qcow2", "image", "1000T"]),
        "qcow2",
        "more than nothing and at most",
    )
    .await;
    check(
        made(&["-f", "qcow2", "image", "1M"]),
        "raw",
        "not of the format",
    )
    .await;
    check(vec![0; 512], "qcow2", "not of the format").await;
    check(b"QFI\xfbnonsense".to_vec(), "qcow2", "of qcow2 version").await;
}

#[tokio::test]
async fn other_bytes_than_promised_are_refused() {
    let mut house = House::with(vec![7; 4_096], 0).await;
    house.digest = "0".repeat(64);
    let refused = house.fetch("raw").await;
    assert!(matches!(refused, Err(MachineError::Refused(text)) if text.contains("digest")));
    let refused = house.images.fetch(&house.digest, 100, "raw").await; // promised too few
    assert!(matches!(refused, Err(MachineError::Refused(text)) if text.contains("more than")));
    assert_eq!(house.files(), Vec::<String>::new());
}

#[tokio::test]
async fn a_fetch_that_was_cut_off_goes_on_where_it_was() {
    let house = House::with(vec![7; 1 << 20], 1).await;
    let cut = house.fetch("raw").await;
    assert!(matches!(cut, Err(MachineError::Away(_))), "{cut:?}");
    assert!(!house.images.is_ready(&house.digest));
    house.fetch("raw").await.unwrap();
    assert!(house.images.is_ready(&house.digest));
    assert_eq!(house.plane.asked.load(Ordering::SeqCst), 2);
    assert_eq!(house.files(), std::slice::from_ref(&house.digest));
}

#[tokio::test]
async fn many_who_want_one_image_fetch_it_once() {
    let house = House::with(vec![7; 1 << 20], 0).await;
    let all = futures::future::join_all((0..8).map(|_| house.fetch("raw"))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(house.plane.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_cannot_fit_is_not_begun() {
    let house = House::with(vec![7; 16], 0).await;
    let full = house.images.fetch(&house.digest, 1 << 60, "raw").await;
    assert!(matches!(full, Err(MachineError::Away(text)) if text.contains("no room")));
    assert_eq!(house.plane.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_image_goes_only_when_nobody_needs_it() {
    let house = House::with(vec![7; 4_096], 0).await;
    house.fetch("raw").await.unwrap();
    let needed = BTreeSet::from([house.digest.clone()]);
    assert!(house.images.evict(&needed).is_empty());
    assert!(house.images.is_ready(&house.digest));
    assert_eq!(
        house.images.evict(&BTreeSet::new()),
        std::slice::from_ref(&house.digest)
    );
    assert!(!house.images.is_ready(&house.digest));
}
