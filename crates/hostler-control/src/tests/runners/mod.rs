//! The fleet that grows and shrinks: the pass, the manager and the store, over
//! a provider whose machines the tests move; on SQLite and on PostgreSQL.

mod growing;
mod joining;
mod leaving;

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Resources;
use hostler_core::runner::RunnerPool;
use hostler_runners::provider::fake::Fake;
use serde_json::{Value, json};

use crate::options::ControlOptions;
use crate::runners::RunnerOptions;
use crate::testing::{Ask, House, Machine};

const IDLE: Duration = Duration::from_mins(1);

/// A control plane with a pool of machines for one workload each, on each of
/// the databases.
async fn houses(change: impl Fn(&mut RunnerPool)) -> [(House, Fake); 2] {
    let mut fakes = Vec::new();
    let mut set = |options: &mut ControlOptions| fakes.push(fake(options, &change));
    let houses = [
        House::with(&mut set).await,
        House::with_postgres(&mut set).await,
    ];
    let mut fakes = fakes.into_iter();
    houses.map(|house| (house, fakes.next().unwrap()))
}

/// The same, with so many machines at most.
async fn small(max: u32) -> [(House, Fake); 2] {
    houses(|pool| pool.bounds.max = max).await
}

fn fake(options: &mut ControlOptions, change: impl Fn(&mut RunnerPool)) -> Fake {
    let provider = Fake::new(options.clock.clone());
    let mut pool = RunnerPool::named("default".parse().unwrap());
    (pool.shape, pool.slots) = (Resources::of(4_000, 8_192), 1);
    (pool.idle_for, pool.cool_down) = (IDLE, Duration::ZERO);
    change(&mut pool);
    options.runners = Some(RunnerOptions {
        provider: Arc::new(provider.clone()),
        pools: vec![Arc::new(pool)],
        patience: Duration::ZERO,
    });
    provider
}

/// Gives every runner its machine, which joins.
async fn boot(house: &House, fake: &Fake) -> Vec<Machine> {
    let mut machines = Vec::new();
    for id in fake.ids() {
        fake.place(&id, id.as_str());
        fake.run(&id);
        machines.push(Machine::of_runner(house, id.as_str()).await);
    }
    machines
}

/// Runs all passes until something is so.
async fn until(house: &mut House, what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        house.scale().await;
        house.pass().await;
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not so: {what}; {:?}", house.kinds().await);
}

async fn nodes(house: &House) -> Value {
    Ask::get("/slaves").send(&house.router).await.expect(200)
}

/// Runs all passes until there is no node.
async fn until_gone(house: &mut House) {
    for _ in 0..100 {
        if nodes(house).await == json!([]) {
            return;
        }
        house.pass().await;
        house.scale().await;
    }
    panic!("{}", nodes(house).await);
}

/// Has work ended and forgotten.
async fn end(house: &House, work: &str) {
    let path = format!("/workloads/{work}");
    Ask::delete(&path).send(&house.router).await.expect(202);
}

/// A runner's status and the code of its reason.
async fn status(house: &House, id: &str) -> (String, String) {
    let path = format!("/runners/{id}");
    let runner = Ask::get(&path).send(&house.router).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&runner["status"]), text(&runner["reason"]["code"]))
}
