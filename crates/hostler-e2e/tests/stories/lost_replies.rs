//! A caller that heard no answer sends the same again.

use futures::future::join_all;
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_e2e::fleet::{self, Fleet};
use hostler_e2e::programs;
use hostler_e2e::witness::Witness;
use hostler_wire::rest::WorkloadQuery;
use sha2::{Digest as _, Sha256};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_create_sent_five_times_makes_one_workload() {
    let fleet = Fleet::up().await.expect("a fleet");
    let witness = Witness::start().await.expect("a witness");
    let bytes = std::fs::read(programs::counter(fleet.folder()).expect("built")).expect("read");
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
    let client = fleet.client().expect("a client");
    client
        .artifact_put(&digest, "default", bytes.into())
        .await
        .expect("uploaded");
    let mut body = fleet::body("once", Kind::Elf, &digest);
    body.environment
        .insert("WITNESS_PORT".into(), witness.port().to_string());
    body.environment
        .insert("WITNESS_NAME".into(), "once".into());

    let sent = join_all((0..5).map(|_| client.workload_create(&body, "the-same-key"))).await;
    let ids: std::collections::BTreeSet<_> = sent
        .into_iter()
        .map(|answer| answer.expect("an answer").id)
        .collect();
    assert_eq!(ids.len(), 1);
    let page = client
        .workloads(&WorkloadQuery::default())
        .await
        .expect("a list");
    assert_eq!(page.items.len(), 1);
    fleet
        .wait_for(&page.items[0], WorkloadStatus::Running)
        .await
        .expect("it runs");
    hostler_e2e::eventually("it has started", || async {
        (witness.count("once").starts > 0).then_some(())
    })
    .await
    .expect("a start");
    assert_eq!(witness.count("once").starts, 1);

    body.description = "another".into();
    let other = client.workload_create(&body, "the-same-key").await;
    assert!(other.is_err(), "one key, two requests");
}
