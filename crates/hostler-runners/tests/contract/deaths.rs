//! The manager dies at every moment of an addition, and the next one goes on:
//! exactly the asked number exists, or none.

use std::collections::BTreeSet;

use hostler_core::runner::RunnerId;
use hostler_runners::provider::ProviderError;
use hostler_runners::provider::fake::{Death, Fault};

use crate::support::House;

const COUNT: usize = 5;
const KEY: [(&str, &str); 1] = [("idempotency-key", "k")];
const BODY: &str = r#"{"instances": 5}"#;

/// Sends an addition to a manager that dies there; then there is the next.
async fn dies(house: &mut House, death: Death) {
    let stop = house.stop.clone();
    house.fake.death(Death {
        token: stop.clone(),
        ..death
    });
    let asking = house.call("POST", "/runners/add", BODY, &KEY);
    tokio::select! {
        _ = asking => {}
        () = stop.cancelled() => {}
    }
    house.restart().await;
}

fn death(house: &House, at: usize, is_done: bool, at_release: bool) -> Death {
    Death {
        at_release,
        at,
        is_done,
        token: house.stop.clone(),
    }
}

async fn ends_with(house: &House, count: usize, status: u16) {
    let answer = house.call("POST", "/runners/add", BODY, &KEY).await;
    assert_eq!(answer.status, status, "{answer:?}");
    house.until(|house| house.fake.count() == count).await;
    if count > 0 {
        let there: BTreeSet<RunnerId> = house.fake.ids().into_iter().collect();
        assert_eq!(there, answer.ids().into_iter().collect());
    }
    assert_eq!(house.get("/jobs").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn edge_killed_before_between_and_after_creates_exactly_the_asked_number_exists() {
    for at in 0..COUNT {
        for is_done in [false, true] {
            let mut house = House::usual().await;
            let death = death(&house, at, is_done, false);
            dies(&mut house, death).await;
            // Without anybody asking again.
            house.until(|house| house.fake.count() == COUNT).await;
            ends_with(&house, COUNT, 201).await;
        }
    }
}

#[tokio::test]
async fn killed_twice_in_a_row_exactly_the_asked_number_exists() {
    for at in 0..COUNT {
        let mut house = House::usual().await;
        let first = death(&house, at, true, false);
        dies(&mut house, first).await;
        house.stop.cancel();
        house.restart().await;
        house.until(|house| house.fake.count() == COUNT).await;
        ends_with(&house, COUNT, 201).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_a_roll_back_nothing_is_left() {
    for at in 0..COUNT {
        for is_done in [false, true] {
            let mut house = House::usual().await;
            for _ in 0..COUNT - 1 {
                house.fake.fault(Fault::CreateWell);
            }
            house
                .fake
                .fault(Fault::Create(ProviderError::Quota("full".into())));
            let death = death(&house, at, is_done, true);
            dies(&mut house, death).await;
            house.until(|house| house.fake.count() == 0).await;
            ends_with(&house, 0, 429).await;
        }
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_a_removal_all_of_them_go() {
    for at in 0..COUNT {
        for is_done in [false, true] {
            let mut house = House::usual().await;
            house.add(5).await;
            let death = death(&house, at, is_done, true);
            house.fake.death(death);
            let stop = house.stop.clone();
            tokio::select! {
                _ = house.post("/runners/remove", BODY) => {}
                () = stop.cancelled() => {}
            }
            house.restart().await;
            house.until(|house| house.fake.count() == 0).await;
        }
    }
}

#[tokio::test]
async fn each_lost_answer_is_asked_again_and_doubles_nothing() {
    for at in 0..COUNT {
        let house = House::usual().await;
        (0..at).for_each(|_| house.fake.fault(Fault::CreateWell));
        house.fake.fault(Fault::CreateUnheard);
        let answer = house.add(5).await;
        let there: BTreeSet<RunnerId> = house.fake.ids().into_iter().collect();
        assert_eq!(there, answer.ids().into_iter().collect());
    }
}

#[tokio::test]
async fn a_death_before_the_job_is_written_leaves_nothing() {
    let mut house = House::usual().await;
    house.book.breaks(true);
    assert_eq!(
        house.call("POST", "/runners/add", BODY, &KEY).await.status,
        503
    );
    house.book.breaks(false);
    house.restart().await;
    assert_eq!((house.fake.count(), house.book.writes()), (0, 0));
    ends_with(&house, COUNT, 201).await;
}
