//! Runners from an Auto Scaling group.

use std::time::{Duration, Instant};

use crate::house::{FLEET, House};
use crate::layer::Rule;

const POOLS: &str = "[aws.pool.default]\ngroup = 'many'\n";

/// What the group is to have.
async fn desired(house: &House) -> u32 {
    let answer = house
        .moto
        .autoscaling(&[("Action", "DescribeAutoScalingGroups")])
        .await;
    let (_, rest) = answer.split_once("<DesiredCapacity>").unwrap();
    rest.split_once('<').unwrap().0.parse().unwrap()
}

async fn desired_is(house: &House, count: u32) {
    let began = Instant::now();
    while desired(house).await != count {
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "still {}",
            desired(house).await
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_group_grows_and_its_instances_become_the_runners() {
    let house = House::of(POOLS).await;
    let (job, names) = house.add(3).await;
    house.job_is(&job, "completed").await;
    for name in &names {
        let runner = house.runner_is(name, "ready").await;
        assert_eq!(runner["metadata"]["group"], "many", "{runner}");
    }
    assert_eq!((desired(&house).await, house.living().await.len()), (3, 3));
}

#[tokio::test]
async fn removing_takes_exactly_those_out_of_the_group() {
    let house = House::of(POOLS).await;
    let (job, names) = house.add(3).await;
    house.job_is(&job, "completed").await;
    let body = format!(r#"{{"runner_ids": ["{}"]}}"#, names[0]);
    let (_, answer) = house.post("/runners/remove", &body).await;
    house
        .job_is(answer["job_id"].as_str().unwrap(), "completed")
        .await;
    desired_is(&house, 2).await;
    for name in &names[1..] {
        house.runner_is(name, "ready").await;
        assert_eq!(house.moto.living("hostler:runner", name).await.len(), 1);
    }
}

#[tokio::test]
async fn beyond_the_group_s_most_a_runner_waits_and_says_why() {
    let house = House::of(POOLS).await;
    let (_, names) = house.add(6).await;
    house.living_are(5).await;
    house
        .until("/runners", |runners| {
            let all = runners.as_array().unwrap();
            let waits = all
                .iter()
                .filter(|one| one["reason"]["code"] == "MaxNodesReached");
            all.len() == names.len() && waits.count() == 1
        })
        .await;
    assert_eq!(desired(&house).await, 5);
}

#[tokio::test]
async fn a_withdrawn_want_shrinks_the_group_again_and_spares_the_claimed() {
    let house = House::of(POOLS).await;
    let (job, names) = house.add(1).await;
    house.job_is(&job, "completed").await;
    // Somebody wants two more than there are runners.
    house
        .moto
        .autoscaling(&[
            ("Action", "SetDesiredCapacity"),
            ("AutoScalingGroupName", "many"),
            ("DesiredCapacity", "3"),
        ])
        .await;
    desired_is(&house, 1).await;
    house.living_are(1).await;
    assert_eq!(
        house.moto.living("hostler:runner", &names[0]).await.len(),
        1
    );
}

#[tokio::test]
async fn lost_replies_of_a_group_double_nothing() {
    let house = House::of(POOLS).await;
    for action in [
        "CreateOrUpdateTags",
        "SetDesiredCapacity",
        "CreateTags",
        "DeleteTags",
    ] {
        house.layer.rule(action, None, 2, Rule::Lose);
    }
    let (job, names) = house.add(2).await;
    house.job_is(&job, "completed").await;
    assert_eq!((desired(&house).await, house.living().await.len()), (2, 2));
    for name in names {
        assert_eq!(house.moto.living("hostler:runner", &name).await.len(), 1);
    }
}

#[tokio::test]
async fn a_manager_that_dies_with_wants_open_finds_them_again() {
    let mut house = House::of(POOLS).await;
    house.layer.rule(
        "SetDesiredCapacity",
        None,
        u32::MAX,
        Rule::Refuse(503, "Throttling"),
    );
    let (job, names) = house.add(2).await;
    house.die().await;
    house.layer.heal();
    house.live().await;
    house.job_is(&job, "completed").await;
    assert_eq!(house.living_are(2).await.len(), names.len());
}

#[tokio::test]
async fn what_a_group_says_of_its_failed_launch_is_the_runner_s_reason() {
    let house = House::of(POOLS).await;
    house.layer.rule(
        "SetDesiredCapacity",
        None,
        u32::MAX,
        Rule::Refuse(503, "Throttling"),
    );
    let text = "We currently do not have sufficient m5.large capacity in the zone.";
    let activity = format!(
        "<member><ActivityId>a</ActivityId><AutoScalingGroupName>many</AutoScalingGroupName><Cause>c</Cause><StartTime>2999-01-01T00:00:00Z</StartTime><StatusCode>Failed</StatusCode><StatusMessage>{text}</StatusMessage></member>"
    );
    let said = format!(
        "<DescribeScalingActivitiesResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><DescribeScalingActivitiesResult><Activities>{activity}</Activities></DescribeScalingActivitiesResult></DescribeScalingActivitiesResponse>"
    );
    house
        .layer
        .rule("DescribeScalingActivities", None, u32::MAX, Rule::Say(said));
    let (_, names) = house.add(1).await;
    let path = format!("/runners/{}", names[0]);
    house
        .until(&path, |runner| runner["reason"]["code"] == "NoCapacity")
        .await;
}

#[tokio::test]
async fn a_group_without_the_fleet_s_tag_is_not_used() {
    let house = House::of("[aws.pool.default]\ngroup = 'theirs'\n").await;
    house.moto.group("theirs", &format!("{FLEET}0")).await;
    // Seen, and left alone.
    let lists = house.layer.calls("DescribeAutoScalingGroups").len();
    house
        .layer
        .called("DescribeAutoScalingGroups", lists + 3)
        .await;
    let (status, body) = house.post("/runners/add", "{}").await;
    assert!(
        status >= 400 && body.to_string().contains("hostler:fleet"),
        "{body}"
    );
    assert!(house.layer.calls("SetDesiredCapacity").is_empty());
    assert!(house.layer.calls("CreateOrUpdateTags").is_empty());
}

#[tokio::test]
async fn before_everything_was_listed_once_nothing_is_asked_for_and_nothing_given_up() {
    let mut house = House::of(POOLS).await;
    house
        .layer
        .rule("CreateOrUpdateTags", None, u32::MAX, Rule::Hold);
    {
        let adding = house.add(1);
        tokio::select! {
            _ = adding => {}
            () = house.layer.called("CreateOrUpdateTags", 1) => {}
        }
    }
    house.die().await;
    house.layer.heal();
    let busy = Rule::Refuse(503, "RequestLimitExceeded");
    house.layer.rule("DescribeInstances", None, 4, busy);
    house.live().await;
    let jobs = house.get("/jobs").await;
    house
        .job_is(jobs[0]["job_id"].as_str().unwrap(), "completed")
        .await;
}
