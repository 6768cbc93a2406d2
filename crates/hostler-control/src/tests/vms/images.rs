//! The catalogue of images, uploads of disks, and what nodes fetch.

use axum::http::Method;
use hostler_core::Bytes;
use hostler_core::vm::qcow2;
use serde_json::json;

use super::life::stage;
use crate::testing::{Ask, Machine, digest_of, on_both};

async fn put(house: &crate::testing::House, bytes: &[u8], kind: &str) -> crate::testing::Answer {
    let path = format!("/artifacts/{}", digest_of(bytes));
    let ask = Ask::new(Method::PUT, &path).header("x-artifact-kind", kind);
    ask.bytes(bytes).send(&house.router).await
}

#[tokio::test]
async fn an_image_is_registered_listed_by_version_and_kept_while_it_is_used() {
    on_both(async |mut house| {
        let _machine = stage(&house).await;
        house.wait(std::time::Duration::from_millis(1));
        let mut bytes = qcow2::sample(Bytes::mib(128));
        bytes.push(2);
        put(&house, &bytes, "qcow2").await.expect(200);
        let body = json!({"name": "debian", "version": "2", "digest": digest_of(&bytes)});
        let create = || Ask::post("/images").json(&body);
        let second = create().send(&house.router).await.expect(201);
        assert_eq!(second["virtual_size"], 128 << 20);
        let again = create().send(&house.router).await.expect(201);
        assert_eq!(again["id"], second["id"]);
        let listed = Ask::get("/images?name=debian")
            .send(&house.router)
            .await
            .expect(200);
        assert_eq!(
            (&listed[0]["version"], &listed[1]["version"]),
            (&json!("2"), &json!("1"))
        );
        let newest = house.vm("new", json!({})).await;
        let older = house.vm("old", json!({"image": "debian:1"})).await;
        assert_eq!(house.vm_of(&newest).await["os"], "debian:2");
        assert_eq!(house.vm_of(&older).await["os"], "debian:1");
        house.settle().await;
        let path = format!("/images/{}", second["id"].as_str().unwrap());
        Ask::delete(&path)
            .send(&house.router)
            .await
            .refused(409, "conflict");
        let artifact = format!("/artifacts/{}", digest_of(&bytes));
        Ask::delete(&artifact)
            .send(&house.router)
            .await
            .refused(409, "conflict");
        Ask::delete(&format!("/vms/{newest}?now=true"))
            .send(&house.router)
            .await
            .expect(202);
        house.settle().await;
        Ask::delete(&path).send(&house.router).await.expect(204);
        Ask::delete(&artifact).send(&house.router).await.expect(204);
        let small = json!({"name": "small", "image": "debian:1", "disk_bytes": 32 << 20});
        let small = Ask::post("/vms").json(&small).send(&house.router).await;
        assert!(small.refused(422, "invalid").contains("less than"));
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_names_another_file_or_is_none_is_refused() {
    let house = crate::testing::House::on_sqlite().await;
    let mut layer = qcow2::sample(Bytes::mib(64));
    let name = b"/etc/passwd";
    layer[8..16].copy_from_slice(&512_u64.to_be_bytes());
    layer[16..20].copy_from_slice(&(u32::try_from(name.len()).unwrap()).to_be_bytes());
    layer[512..512 + name.len()].copy_from_slice(name);
    let refused = put(&house, &layer, "qcow2").await.refused(422, "invalid");
    assert!(refused.contains("layer over another file"), "{refused}");
    let bomb = qcow2::sample(Bytes::new(u64::MAX));
    put(&house, &bomb, "qcow2").await.refused(422, "invalid");
    put(&house, b"plain", "raw").await.refused(422, "invalid");
    put(&house, &[0; 1_024], "raw").await.expect(200);
    put(&house, &[0; 1_024], "sideways")
        .await
        .refused(422, "invalid");
    let large = vec![0; (1 << 20) + 512];
    put(&house, &large, "raw").await.refused(413, "too_large");
    let digest = house.upload("default").await;
    let body = json!({"name": "elf", "digest": digest});
    let refused = Ask::post("/images").json(&body).send(&house.router).await;
    assert!(refused.refused(422, "invalid").contains("not a disk"));
}

#[tokio::test]
async fn the_originals_metadata_file_is_understood() {
    let house = crate::testing::House::on_sqlite().await;
    let bytes = qcow2::sample(Bytes::mib(64));
    put(&house, &bytes, "qcow2").await.expect(200);
    let import = |metadata: &str| {
        let body = json!({"metadata": metadata, "digest": digest_of(&bytes)});
        Ask::post("/images/import").json(&body)
    };
    let metadata = "name: Ubuntu 22.04\nimage: distribox-ubuntu-22.04.qcow2\nversion: 22.04\n\
        distribution: ubuntu\nfamily: debian\nrevision: 3\n";
    let made = import(metadata).send(&house.router).await.expect(201);
    assert_eq!(
        (&made["name"], &made["version"]),
        (&json!("ubuntu"), &json!("22.04-r3"))
    );
    assert_eq!(
        (&made["family"], &made["revision"]),
        (&json!("debian"), &json!(3))
    );
    let vm = json!({"name": "a", "os": "distribox-ubuntu-22.04.qcow2", "mem": 1, "vcpus": 1,
        "disk_size": 1, "activate_at_start": true});
    let made = Ask::post("/vms")
        .json(&vm)
        .send(&house.router)
        .await
        .expect(201);
    assert_eq!(
        (&made["mem"], &made["disk_size"], &made["state"]),
        (&json!(1), &json!(1), &json!("Queued"))
    );
    import("version: 1")
        .send(&house.router)
        .await
        .refused(422, "invalid");
    import("- 1")
        .send(&house.router)
        .await
        .refused(422, "invalid");
}

#[tokio::test]
async fn a_node_fetches_the_image_of_what_sits_there_in_parts() {
    on_both(async |mut house| {
        let machine = stage(&house).await;
        house.vm("web", json!({})).await;
        let images = Ask::get("/images").send(&house.router).await.expect(200);
        let digest = images[0]["digest"].as_str().unwrap().to_owned();
        let path = format!("/artifacts/{digest}/content");
        let fetch = |key: &str| Ask::get(&path).key(key);
        fetch(&machine.key)
            .send(&house.router)
            .await
            .refused(404, "not_found");
        house.settle().await;
        let whole = fetch(&machine.key).send(&house.router).await;
        assert_eq!(
            (whole.status.as_u16(), digest_of(&whole.bytes)),
            (200, digest.clone())
        );
        let part = fetch(&machine.key).header("range", "bytes=4-7");
        let part = part.send(&house.router).await;
        assert_eq!(
            (part.status.as_u16(), &part.bytes[..]),
            (206, &whole.bytes[4..8])
        );
        let range = part.headers["content-range"].to_str().unwrap().to_owned();
        assert_eq!(range, format!("bytes 4-7/{}", whole.bytes.len()));
        let beyond = fetch(&machine.key).header("range", "bytes=99999999-");
        beyond.send(&house.router).await.refused(416, "range");
        let stranger = Machine::join(&house, "n2").await;
        fetch(&stranger.key)
            .send(&house.router)
            .await
            .refused(404, "not_found");
    })
    .await;
}
