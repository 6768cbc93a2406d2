//! Machines come for work without a place, within bounds, and go after it.

use std::time::Duration;

use hostler_core::runner::{Request, RunnerId};

use super::*;

#[tokio::test]
async fn work_without_a_place_is_given_machines_and_they_go_after_it() {
    for (mut house, fake) in small(5).await {
        let ids = [house.deploy("a").await, house.deploy("b").await];
        until(&mut house, "they are asked for", || fake.count() == 2).await;
        house.scale().await;
        assert_eq!(fake.count(), 2, "those on their way are enough");
        let machines = boot(&house, &fake).await;
        house.settle().await;
        for id in &ids {
            assert_eq!(house.status(id).await, "running");
            let path = format!("/workloads/{id}");
            Ask::delete(&path).send(&house.router).await.expect(202);
        }
        house.settle().await;
        house.scale().await;
        house.wait(IDLE);
        for machine in &machines {
            machine.beat(&house).await;
        }
        until(&mut house, "they are given back", || fake.count() == 0).await;
        until_gone(&mut house).await;
        let kinds = house.kinds().await;
        for kind in ["pool.grows", "pool.shrinks", "node.removed"] {
            assert!(kinds.iter().any(|one| one == kind), "{kind}: {kinds:?}");
        }
    }
}

#[tokio::test]
async fn a_decision_says_why() {
    for (mut house, fake) in small(5).await {
        house.deploy("a").await;
        until(&mut house, "it is asked for", || fake.count() == 1).await;
        let page = Ask::get("/activity?limit=1000").send(&house.router).await;
        let page = page.expect(200);
        let mut items = page["items"].as_array().unwrap().iter();
        let grown = items.find(|one| one["kind"] == "pool.grows").unwrap();
        assert_eq!(grown["data"]["why"], "demand");
        assert!(
            grown["text"]
                .as_str()
                .unwrap()
                .contains("1 workload has no place")
        );
    }
}

#[tokio::test]
async fn a_pool_never_has_more_than_its_most() {
    for (mut house, fake) in small(2).await {
        for name in ["a", "b", "c"] {
            house.deploy(name).await;
        }
        until(&mut house, "they are asked for", || fake.count() == 2).await;
        boot(&house, &fake).await;
        for _ in 0..5 {
            house.pass().await;
            house.scale().await;
        }
        assert_eq!(fake.count(), 2);
        let kinds = house.kinds().await;
        let told = kinds.iter().filter(|kind| *kind == "pool.waits").count();
        assert_eq!(told, 1, "told once: {kinds:?}");
    }
}

#[tokio::test]
async fn a_dead_machine_is_replaced_and_its_work_runs_again() {
    for (mut house, fake) in small(2).await {
        let work = house.deploy("a").await;
        until(&mut house, "it is asked for", || fake.count() == 1).await;
        let _dead = boot(&house, &fake).await;
        house.settle().await;
        let lost = fake.ids()[0].clone();
        fake.alter(&lost, |facts| {
            if let Some(machine) = &mut facts.machine {
                machine.exists = Some(false);
            }
        });
        until(&mut house, "it is given back", || fake.count() == 0).await;
        // A pool that failed is left alone for a while.
        house.wait(Duration::from_secs(20));
        until(&mut house, "another is asked for", || fake.count() == 1).await;
        let _heir = boot(&house, &fake).await;
        house.settle().await;
        assert_eq!(house.status(&work).await, "running");
        assert!(!fake.ids().contains(&lost));
    }
}

/// After a failure nobody waits for what is on its way, so that the bound alone
/// keeps the pool from asking for more.
#[tokio::test]
async fn a_machine_that_has_registered_and_was_never_heard_is_on_its_way() {
    for (mut house, fake) in small(5).await {
        house.deploy("a").await;
        until(&mut house, "it is asked for", || fake.count() == 1).await;
        let lost = fake.ids()[0].clone();
        fake.alter(&lost, |facts| facts.request = Request::Failed);
        until(&mut house, "it is given back", || fake.count() == 0).await;
        house.wait(Duration::from_secs(20));
        until(&mut house, "another is asked for", || fake.count() == 1).await;
        let id = fake.ids()[0].to_string();
        let _silent = Machine::register_runner(&house, &id).await;
        for _ in 0..5 {
            house.pass().await;
            house.scale().await;
            assert_eq!(fake.count(), 1);
        }
    }
}

#[tokio::test]
async fn no_more_machines_are_on_their_way_than_may_be() {
    for (mut house, fake) in houses(|pool| pool.boots_at_once = 1).await {
        for name in ["a", "b", "c"] {
            house.deploy(name).await;
        }
        let mut machines = Vec::new();
        for joined in 0..3 {
            until(&mut house, "one more is asked for", || {
                fake.count() > joined
            })
            .await;
            for _ in 0..5 {
                house.pass().await;
                house.scale().await;
                assert_eq!(fake.count(), joined + 1);
            }
            let ids = fake.ids();
            let is_new = |id: &&RunnerId| !machines.iter().any(|(known, _)| known == *id);
            let id = ids.iter().find(is_new).unwrap().clone();
            let machine = Machine::of_runner(&house, id.as_str()).await;
            machines.push((id, machine));
        }
    }
}
