//! Removing runners, and losing them.

use hostler_core::runner::job::OnLost;
use hostler_runners::manager::Rules;

use crate::house::{House, USUAL};
use crate::layer::Rule;

#[tokio::test]
async fn removed_runners_are_terminated_and_no_others() {
    let house = House::of(USUAL).await;
    let (job, names) = house.add(3).await;
    house.job_is(&job, "completed").await;
    let tags = [("hostler:fleet", "fleet-2"), ("hostler:runner", &names[1])];
    let stranger = house.moto.instance(&tags).await;
    let body = format!(r#"{{"runner_ids": ["{}"]}}"#, names[1]);
    let (status, answer) = house.post("/runners/remove", &body).await;
    assert!(status < 300, "{answer}");
    house
        .job_is(answer["job_id"].as_str().unwrap(), "completed")
        .await;
    assert_eq!(house.living().await.len(), 2);
    let left = house.moto.living("hostler:runner", &names[1]).await;
    assert_eq!(left, [stranger]);
}

#[tokio::test]
async fn a_lost_reply_to_a_release_is_asked_again_and_what_is_gone_is_gone() {
    let house = House::of(USUAL).await;
    let (job, _) = house.add(1).await;
    house.job_is(&job, "completed").await;
    house.layer.rule("TerminateInstances", None, 1, Rule::Lose);
    let (_, answer) = house.post("/runners/remove", r#"{"instances": 1}"#).await;
    house
        .job_is(answer["job_id"].as_str().unwrap(), "completed")
        .await;
    assert!(house.living().await.is_empty());
}

#[tokio::test]
async fn one_that_somebody_terminates_is_deleted_and_never_failed() {
    let house = House::of(USUAL).await;
    let (job, names) = house.add(1).await;
    house.runner_is(&names[0], "ready").await;
    house.moto.end(&house.living().await[0]).await;
    let path = format!("/jobs/{job}");
    let job = house.until(&path, |job| job["gone_count"] == 1).await;
    assert_eq!(job["runners"][0]["reason"]["code"], "deleted", "{job:#}");
}

#[tokio::test]
async fn a_spot_instance_with_notice_says_so() {
    let pools =
        "[[pool]]\nname = 'default'\nspot = true\n[aws.pool.default]\nlaunch_template = 'node'\n";
    let house = House::of(pools).await;
    let (_, names) = house.add(1).await;
    let runner = house.runner_is(&names[0], "ready").await;
    let instance = runner["metadata"]["node_name"].as_str().unwrap();
    let item = format!(
        "<item><spotInstanceRequestId>sir-1</spotInstanceRequestId><instanceId>{instance}</instanceId></item>"
    );
    let said = format!(
        "<DescribeSpotInstanceRequestsResponse><spotInstanceRequestSet>{item}</spotInstanceRequestSet></DescribeSpotInstanceRequestsResponse>"
    );
    house.layer.rule(
        "DescribeSpotInstanceRequests",
        None,
        u32::MAX,
        Rule::Say(said),
    );
    let path = format!("/runners/{}", names[0]);
    house
        .until(&path, |runner| {
            runner.to_string().contains("InterruptionNotice")
        })
        .await;
}

#[tokio::test]
async fn one_that_is_replaced_is_another_instance_under_another_token() {
    let mut rules = Rules::default();
    rules.jobs.on_lost = OnLost::Replace;
    let house = House::with(USUAL, rules).await;
    let (_, names) = house.add(1).await;
    let runner = house.runner_is(&names[0], "ready").await;
    assert_eq!(runner["metadata"]["generation"], "0");
    let first = house.living().await.remove(0);
    house.moto.end(&first).await;
    let path = format!("/runners/{}", names[0]);
    house
        .until(&path, |runner| runner["metadata"]["generation"] == "1")
        .await;
    let second = house.living_are(1).await.remove(0);
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_token_whose_instance_has_ended_unseen_makes_room_for_the_next() {
    let house = House::of(USUAL).await;
    let spent = Rule::Refuse(400, "IdempotentInstanceTerminated");
    house.layer.rule("RunInstances", None, 1, spent);
    let (_, names) = house.add(1).await;
    let runner = house.runner_is(&names[0], "ready").await;
    assert_eq!(runner["metadata"]["generation"], "1");
}
