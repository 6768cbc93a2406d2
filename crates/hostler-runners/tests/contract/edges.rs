//! Cases at the edge that fit nowhere else.

use hostler_core::runner::Request;

use crate::support::House;

#[tokio::test]
async fn edge_a_rollout_of_the_program_is_ready_then_provisioning_then_ready() {
    let house = House::usual().await;
    let id = house.add(1).await.ids()[0].clone();
    house.fake.place(&id, "node-1");
    let mut told = Vec::new();
    for is_up in [true, false, true] {
        house.fake.alter(&id, |facts| {
            facts.program = hostler_core::runner::Program::default();
        });
        if is_up {
            house.fake.run(&id);
        }
        told.push(house.status(&id).await.0);
    }
    assert_eq!(told, ["ready", "provisioning", "ready"]);
}

#[tokio::test]
async fn row_2_13_failed_is_a_request_that_ended_or_a_program_that_keeps_failing() {
    let house = House::usual().await;
    let ids = house.add(2).await.ids();
    house
        .fake
        .alter(&ids[0], |facts| facts.request = Request::Failed);
    assert_eq!(
        house.status(&ids[0]).await,
        ("failed".into(), "RequestFailed".into())
    );
    house.fake.place(&ids[1], "node-1");
    house.fake.run(&ids[1]);
    house.fake.alter(&ids[1], |facts| {
        facts.program.failing_since = Some(facts.created);
        facts.program.is_ready = false;
    });
    assert_eq!(
        house.status(&ids[1]).await,
        ("provisioning".into(), "CrashLoop".into())
    );
    house.pass(120);
    assert_eq!(
        house.status(&ids[1]).await,
        ("failed".into(), "CrashLoop".into())
    );
}

#[tokio::test]
async fn a_stranger_is_shown_and_never_touched() {
    let house = House::usual().await;
    let pool = "default".parse().unwrap();
    let id: hostler_core::runner::RunnerId = "node-placeholder-by-hand".parse().unwrap();
    let created = hostler_core::Timestamp::from_ms(1_000_000);
    house
        .fake
        .appear(hostler_core::runner::RunnerFacts::waiting(
            id.clone(),
            pool,
            None,
            created,
        ));
    house.add(1).await;
    house.pass(10_000);
    assert_eq!(house.status(&id).await.0, "failed");
    assert!(house.fake.ids().contains(&id));
}
