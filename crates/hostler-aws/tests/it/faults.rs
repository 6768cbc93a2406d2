//! Replies that are lost, and AWS asking for a pause.

use hostler_core::runner::ReasonCode;
use hostler_runners::provider::Provider as _;

use crate::house::{House, USUAL};
use crate::layer::Rule;

#[tokio::test]
async fn a_lost_reply_to_a_launch_doubles_nothing() {
    let house = House::of(USUAL).await;
    house.layer.rule("RunInstances", None, 3, Rule::Lose);
    // No list tells that they are there: the tokens alone do.
    house.layer.rule(
        "DescribeInstances",
        None,
        u32::MAX,
        Rule::Refuse(503, "RequestLimitExceeded"),
    );
    let (job, names) = house.add(2).await;
    assert_eq!(house.layer.calls("RunInstances").len(), 5);
    house.layer.heal();
    house.job_is(&job, "completed").await;
    assert_eq!(house.living().await.len(), 2);
    for name in names {
        assert_eq!(house.moto.living("hostler:runner", &name).await.len(), 1);
    }
}

#[tokio::test]
async fn a_reply_lost_at_the_second_candidate_is_asked_for_again_before_the_first() {
    let pools = "[[pool]]\nname = 'default'\ninstance_types = ['m5.large', 'm6i.large']\n\
                 [aws.pool.default]\nlaunch_template = 'node'\n";
    let house = House::of(pools).await;
    let full = Rule::Refuse(500, "InsufficientInstanceCapacity");
    house
        .layer
        .rule("RunInstances", Some(("InstanceType", "m5.large")), 1, full);
    house.layer.rule(
        "RunInstances",
        Some(("InstanceType", "m6i.large")),
        1,
        Rule::Lose,
    );
    let (job, _) = house.add(1).await;
    house.job_is(&job, "completed").await;
    // By now the first type has room again: asked for, it would be a second one.
    assert_eq!(house.living().await.len(), 1);
}

#[tokio::test]
async fn throttled_launches_are_asked_for_again_more_slowly() {
    let house = House::of(USUAL).await;
    house.layer.rule(
        "RunInstances",
        None,
        5,
        Rule::Refuse(503, "RequestLimitExceeded"),
    );
    let (job, _) = house.add(2).await;
    house.job_is(&job, "completed").await;
    assert_eq!(house.layer.calls("RunInstances").len(), 7);
    assert_eq!(house.living().await.len(), 2);
}

#[tokio::test]
async fn aws_being_away_or_slow_makes_no_runner_look_worse() {
    let house = House::of(USUAL).await;
    let (_, names) = house.add(2).await;
    for name in &names {
        house.runner_is(name, "ready").await;
    }
    let check = async |rule: Rule, code: ReasonCode| {
        house.layer.rule("DescribeInstances", None, u32::MAX, rule);
        let mut seen = house.aws.snapshots();
        let said = seen.wait_for(|now| now.problem.as_ref().is_some_and(|it| it.code == code));
        assert!(said.await.unwrap().stale_since.is_some());
        for name in &names {
            assert_eq!(
                house.get(&format!("/runners/{name}")).await["status"],
                "ready"
            );
        }
        house.layer.heal();
        seen.wait_for(|now| now.problem.is_none()).await.unwrap();
    };
    check(
        Rule::Refuse(503, "RequestLimitExceeded"),
        ReasonCode::Throttled,
    )
    .await;
    check(
        Rule::Refuse(500, "InternalError"),
        ReasonCode::ProviderUnreachable,
    )
    .await;
    check(
        Rule::Refuse(403, "UnauthorizedOperation"),
        ReasonCode::Denied,
    )
    .await;
    check(Rule::Lose, ReasonCode::ProviderUnreachable).await;
}

#[tokio::test]
async fn while_throttled_lists_are_asked_for_ever_more_seldom() {
    let house = House::of(USUAL).await;
    house.layer.rule(
        "DescribeInstances",
        None,
        u32::MAX,
        Rule::Refuse(503, "RequestLimitExceeded"),
    );
    let mut seen = house.aws.snapshots();
    seen.wait_for(|now| now.problem.is_some()).await.unwrap();
    let times = async |count: usize| {
        let begun = house.layer.calls("DescribeInstances").len();
        let since = std::time::Instant::now();
        house.layer.called("DescribeInstances", begun + count).await;
        since.elapsed()
    };
    // The pauses double: the fifth is longer than the first two together.
    let early = times(2).await;
    times(2).await;
    let late = times(1).await;
    assert!(late > early, "{late:?} after {early:?}");
}

#[tokio::test]
async fn a_token_file_that_changed_between_two_tries_launches_no_second_instance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one").unwrap();
    let pools = format!(
        "control = 'http://10.0.0.1:3010'\njoin_token_file = '{}'\n{USUAL}",
        path.display()
    );
    let house = House::of(&pools).await;
    house.layer.rule(
        "DescribeInstances",
        None,
        2,
        Rule::Refuse(503, "RequestLimitExceeded"),
    );
    house.layer.rule("RunInstances", None, 1, Rule::Lose);
    let adding = house.post("/runners/add", "{}");
    let changing = async {
        house.layer.called("RunInstances", 1).await;
        std::fs::write(&path, "two").unwrap();
    };
    let ((status, body), ()) = tokio::join!(adding, changing);
    assert_eq!(status, 201, "{body}");
    house
        .job_is(body["job_id"].as_str().unwrap(), "completed")
        .await;
    assert_eq!(house.living().await.len(), 1);
}
