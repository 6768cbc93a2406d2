//! The whole thing, with a port, passes of its own and a stop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hostler_wire::client::ControlClient;
use hostler_wire::rest::{ActivityQuery, WorkloadQuery};
use tokio_util::sync::CancellationToken;

use crate::testing::{ADMIN, Ask, House, Machine, eventually};
use crate::{Control, ControlOptions, StartError};

#[tokio::test]
async fn it_starts_answers_and_ends() {
    static RENDERED: AtomicU64 = AtomicU64::new(0);
    let folder = tempfile::tempdir().unwrap();
    let mut options = ControlOptions::new(folder.path().join("data"));
    options.listen = ([127, 0, 0, 1], 0).into();
    options.api_token = Some(ADMIN.to_owned());
    options.metrics = Some(std::sync::Arc::new(|| {
        RENDERED.fetch_add(1, Ordering::Relaxed);
        "hostler_nodes 0\n".to_owned()
    }));
    let stop = CancellationToken::new();
    let control = Control::start(options.clone(), stop.clone()).await.unwrap();
    let client = ControlClient::new(&format!("http://{}", control.address()), ADMIN).unwrap();
    let patience = tokio::time::Instant::now() + Duration::from_secs(20);
    while !client.ready().await.unwrap().ready {
        assert!(tokio::time::Instant::now() < patience, "never ready");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A long answer does not hold up the end.
    let _live = client
        .activity_live(&ActivityQuery::default())
        .await
        .unwrap();
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(8), control.join()).await;
    assert!(ended.is_ok(), "it did not end");
    assert_eq!(RENDERED.load(Ordering::Relaxed), 0);

    // The next life of the same data takes over at once.
    let stop = CancellationToken::new();
    let control = Control::start(options, stop.clone()).await.unwrap();
    let client = ControlClient::new(&format!("http://{}", control.address()), ADMIN).unwrap();
    assert!(
        client
            .workloads(&WorkloadQuery::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    stop.cancel();
    control.join().await;
}

#[tokio::test]
async fn many_at_once_are_each_seated_and_ordered_once() {
    const COUNT: usize = 200;
    let house = House::on_sqlite().await;
    let machines = [
        Machine::join(&house, "n1").await,
        Machine::join(&house, "n2").await,
    ];
    for machine in &machines {
        machine.grow(&house, 1_000).await;
    }
    let body = house.service("w").await;
    let tasks = house.run_passes();
    let create = |number: usize| {
        let mut body = body.clone();
        body["name"] = format!("w{number}").into();
        Ask::post("/workloads").json(&body).send(&house.router)
    };
    let answers = futures::future::join_all((0..COUNT).map(create)).await;
    let made = answers.into_iter().map(|answer| answer.expect(201));
    let ids: Vec<_> = made
        .map(|made| made["id"].as_str().unwrap().to_owned())
        .collect();
    let held = |id: &String| {
        machines
            .iter()
            .filter(|machine| machine.entry(id).is_some())
            .count()
    };
    eventually("each is held by a node", || {
        ids.iter().all(|id| held(id) == 1)
    })
    .await;
    let calls = house.app.clone();
    eventually("no order is under way", || calls.calls.is_idle()).await;
    for id in &ids {
        assert_eq!(house.status(id).await, "running");
        let orders: usize = machines
            .iter()
            .map(|machine| machine.orders(id).len())
            .sum();
        assert_eq!(orders, 1, "{id}");
    }
    house.end(tasks).await;
}

#[tokio::test]
async fn wrong_options_open_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut options = ControlOptions::new(data.clone());
    options.heartbeat = Duration::ZERO;
    let refused = Control::start(options, CancellationToken::new()).await;
    assert!(matches!(refused, Err(StartError::Options(_))));
    assert!(!data.exists());
}
