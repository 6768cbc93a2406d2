//! The manager dies, and its next life goes on.

use crate::house::{House, USUAL};
use crate::layer::Rule;

/// Adds three, dies as soon as the first launch is asked for, and lives again.
async fn check(rule: Option<Rule>) {
    let mut house = House::of(USUAL).await;
    if let Some(rule) = rule {
        house.layer.rule("RunInstances", None, u32::MAX, rule);
    }
    {
        let adding = house.add(3);
        tokio::select! {
            _ = adding => {}
            () = house.layer.called("RunInstances", 1) => {}
        }
    }
    house.die().await;
    house.layer.heal();
    house.live().await;
    let jobs = house.get("/jobs").await;
    assert_eq!(
        jobs.as_array().unwrap().len(),
        1,
        "written before anything was asked for"
    );
    house
        .job_is(jobs[0]["job_id"].as_str().unwrap(), "completed")
        .await;
    house.living_are(3).await;
    let runners = house.get("/runners").await;
    assert_eq!(runners.as_array().unwrap().len(), 3, "{runners:#}");
}

#[tokio::test]
async fn killed_between_record_and_launch_exactly_the_asked_number_exists() {
    check(Some(Rule::Hold)).await;
}

#[tokio::test]
async fn killed_between_launch_and_its_answer_exactly_the_asked_number_exists() {
    check(Some(Rule::Lose)).await;
}

#[tokio::test]
async fn killed_between_two_launches_exactly_the_asked_number_exists() {
    check(None).await;
}

#[tokio::test]
async fn the_next_life_shows_the_same_runners_from_their_tags_alone() {
    let mut house = House::of(USUAL).await;
    let (_, mut names) = house.add(2).await;
    for name in &names {
        house.runner_is(name, "ready").await;
    }
    house.die().await;
    house.live().await;
    names.sort();
    let runners = house.get("/runners").await;
    let mut shown: Vec<&str> = runners
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    shown.sort_unstable();
    assert_eq!(shown, names);
}
