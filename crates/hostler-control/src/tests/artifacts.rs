//! Uploads: only what a node could run, whole, under its own digest.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use crate::testing::{Answer, Ask, House, digest_of, elf, eventually, on_both};

async fn put(house: &House, digest: &str, bytes: &[u8]) -> Answer {
    let path = format!("/artifacts/{digest}");
    Ask::new(Method::PUT, &path)
        .bytes(bytes)
        .send(&house.router)
        .await
}

fn files(house: &House) -> usize {
    let count = |folder: std::path::PathBuf| std::fs::read_dir(folder).unwrap().count();
    let artifacts = house.folder.path().join("artifacts");
    count(artifacts.clone()) - 1 + count(artifacts.join("incoming"))
}

#[tokio::test]
async fn an_upload_is_kept_once_and_read_back() {
    on_both(async |house| {
        let bytes = elf::static_elf();
        let digest = digest_of(&bytes);
        for _ in 0..2 {
            let made = put(&house, &digest, &bytes).await.expect(200);
            assert_eq!(
                (&made["kind"], &made["size"]),
                (&json!("elf"), &json!(bytes.len()))
            );
        }
        let listed = Ask::get("/artifacts").send(&house.router).await.expect(200);
        assert_eq!(listed.as_array().unwrap().len(), 1);
        let content = Ask::get(&format!("/artifacts/{digest}/content"));
        assert_eq!(content.send(&house.router).await.bytes, bytes);
        assert_eq!(files(&house), 1);
    })
    .await;
}

#[tokio::test]
async fn what_no_node_could_run_is_refused_and_leaves_nothing() {
    let house = House::on_sqlite().await;
    let good = elf::static_elf();
    let cases: [(&[u8], u16, &str, &str); 7] = [
        (&elf::dynamic_elf(), 422, "invalid", "linked dynamically"),
        (&good[..good.len() - 1], 422, "invalid", "truncated"),
        (&good[..10], 422, "invalid", "truncated"),
        (b"", 422, "invalid", "empty"),
        (b"#!/bin/sh\n", 422, "invalid", "neither"),
        (b"\0asm\x01\0\0\0\x01\x7f", 422, "invalid", "truncated"),
        (
            &vec![0; (64 << 10) + 1],
            413,
            "too_large",
            "larger than 65536 bytes",
        ),
    ];
    for (bytes, status, code, part) in cases {
        let answer = put(&house, &digest_of(bytes), bytes).await;
        let text = answer.refused(status, code);
        assert!(text.contains(part), "{text}");
    }
    let text = put(&house, &"0".repeat(64), &good)
        .await
        .refused(422, "invalid");
    assert!(
        text.contains(&digest_of(&good)),
        "it says what it got: {text}"
    );
    put(&house, "../../x", &good)
        .await
        .refused(404, "not_found");
    let said = Ask::new(Method::PUT, &format!("/artifacts/{}", digest_of(&good)));
    let said = said.header("x-artifact-kind", "wasm").bytes(&good);
    said.send(&house.router).await.refused(422, "invalid");
    assert_eq!(files(&house), 0);
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_before_a_byte_is_read() {
    let house = House::on_sqlite().await;
    let path = format!("/artifacts/{}", "0".repeat(64));
    let ask = Ask::new(Method::PUT, &path).header("content-length", "99999999999");
    ask.send(&house.router).await.refused(413, "too_large");
}

#[tokio::test]
async fn an_artifact_in_use_stays_and_unused_bytes_go_after_a_grace() {
    let mut house = House::with(|options| options.artifacts.grace = Duration::ZERO).await;
    let id = house.deploy("echo").await;
    let digest = digest_of(&elf::static_elf());
    let delete = || Ask::delete(&format!("/artifacts/{digest}"));
    delete().send(&house.router).await.refused(409, "conflict");
    assert_eq!(house.sweep().await, 0);
    assert_eq!(files(&house), 1, "it is in use");
    Ask::delete(&format!("/workloads/{id}"))
        .send(&house.router)
        .await
        .expect(202);
    house.settle().await;
    delete().send(&house.router).await.expect(204);
    delete().send(&house.router).await.refused(404, "not_found");
    assert_eq!(house.sweep().await, 1);
    eventually("the bytes are gone", || files(&house) == 0).await;
}
