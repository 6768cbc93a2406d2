//! Orphans go, after two looks; strangers are never touched.

use hostler_aws::{Claim, tag};
use hostler_core::Timestamp;
use hostler_core::id::JobId;
use hostler_core::runner::Mark;

use crate::house::{FLEET, House, USUAL};

/// The tags of a runner whose job nobody knows.
fn lost(fleet: &str) -> Vec<(String, String)> {
    let claim = Claim {
        runner: "node-placeholder-lost".parse().unwrap(),
        pool: "default".parse().unwrap(),
        mark: Mark {
            job: JobId::from_parts(1, [7; 10]),
            index: 0,
            requested_at: Timestamp::from_ms(0),
            deadline: Timestamp::from_ms(0),
        },
        generation: 0,
    };
    claim.tags(fleet).into_iter().collect()
}

async fn launch(house: &House, tags: &[(String, String)]) -> String {
    let tags: Vec<(&str, &str)> = tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    house.moto.instance(&tags).await
}

#[tokio::test]
async fn an_orphan_is_terminated_after_two_looks_and_nobody_else_is() {
    let house = House::of(USUAL).await;
    let (_, names) = house.add(1).await;
    house.runner_is(&names[0], "ready").await;
    let orphan = launch(&house, &lost(FLEET)).await;
    let mut strangers = vec![
        launch(&house, &lost("fleet-2")).await,
        launch(&house, &lost("fleet-10")).await,
        launch(&house, &[(tag::FLEET.to_owned(), FLEET.to_owned())]).await,
        launch(&house, &[]).await,
    ];
    let mut theirs = lost("fleet-2");
    for (_, value) in theirs.iter_mut().filter(|(key, _)| key == tag::RUNNER) {
        "node-placeholder-theirs".clone_into(value);
    }
    strangers.push(launch(&house, &theirs).await);
    let untagged: Vec<_> = lost(FLEET)
        .into_iter()
        .filter(|(key, _)| key != tag::FLEET)
        .collect();
    strangers.push(launch(&house, &untagged).await);
    house
        .until("/runners/node-placeholder-lost", |runner| {
            runner["status"].is_string()
        })
        .await;
    let shown = house.get("/runners").await.to_string();
    assert!(!shown.contains("node-placeholder-theirs"), "{shown}");
    house.living_are(2).await;
    assert!(
        house
            .moto
            .describe(&orphan)
            .await
            .contains("<name>terminated</name>")
    );
    for stranger in &strangers {
        assert!(
            house
                .moto
                .describe(stranger)
                .await
                .contains("<name>running</name>"),
            "{stranger}"
        );
    }
    house.runner_is(&names[0], "ready").await;
}

#[tokio::test]
async fn a_second_instance_of_a_runner_is_terminated_and_the_first_stays() {
    let house = House::of(USUAL).await;
    let (_, names) = house.add(1).await;
    let runner = house.runner_is(&names[0], "ready").await;
    let first = runner["metadata"]["node_name"].as_str().unwrap().to_owned();
    let mut tags = lost(FLEET);
    for (key, value) in &mut tags {
        if key == tag::RUNNER {
            value.clone_from(&names[0]);
        }
    }
    let second = launch(&house, &tags).await;
    // The elder stays; of the same second, the one that comes first.
    let age = async |id: String| (house.moto.launched(&id).await, id);
    let eldest = age(first).await.min(age(second).await).1;
    house.living_are(2).await;
    assert_eq!(house.living_are(1).await, [eldest]);
    house.runner_is(&names[0], "ready").await;
}

#[tokio::test]
async fn while_the_book_cannot_be_read_nothing_is_swept() {
    let house = House::of(USUAL).await;
    let (_, names) = house.add(1).await;
    house.runner_is(&names[0], "ready").await;
    house.book.close(true);
    launch(&house, &lost(FLEET)).await;
    // Long enough for several sweeps.
    let lists = house.layer.calls("DescribeInstances").len();
    house.layer.called("DescribeInstances", lists + 10).await;
    assert_eq!(house.living().await.len(), 2);
    house.book.close(false);
    house.living_are(1).await;
    house.runner_is(&names[0], "ready").await;
}
