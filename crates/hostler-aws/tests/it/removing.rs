//! Removing runners, and losing them.

use crate::house::{House, USUAL};
use crate::layer::Rule;

#[tokio::test]
async fn removed_runners_are_terminated_and_no_others() {
    let house = House::of(USUAL).await;
    let stranger = house.moto.instance(&[("hostler:fleet", "fleet-2")]).await;
    let (job, names) = house.add(3).await;
    house.job_is(&job, "completed").await;
    let body = format!(r#"{{"runner_ids": ["{}"]}}"#, names[1]);
    let (status, answer) = house.post("/runners/remove", &body).await;
    assert!(status < 300, "{answer}");
    house
        .job_is(answer["job_id"].as_str().unwrap(), "completed")
        .await;
    assert_eq!(house.living().await.len(), 2);
    assert!(
        house
            .moto
            .living("hostler:runner", &names[1])
            .await
            .is_empty()
    );
    assert!(
        house
            .moto
            .describe(&stranger)
            .await
            .contains("<name>running</name>")
    );
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
