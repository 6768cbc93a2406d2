//! What doctor finds.

use serde_json::Value;

use crate::house::{House, USUAL};
use crate::layer::Rule;

/// What is wrong with the check whose name contains this; none if it works.
async fn problem(house: &House, name: &str) -> Option<String> {
    let found = house.get("/doctor").await;
    let checks = found["checks"].as_array().unwrap();
    let is_it = |check: &&Value| check["name"].as_str().unwrap().contains(name);
    let check = checks
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{name} in {found:#}"));
    check["problem"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn when_everything_is_there_all_is_well() {
    let house = House::of(&format!(
        "{USUAL}[aws.pool.many]\ngroup='many'\n[[pool]]\nname='default'\n[[pool]]\nname='many'\n"
    ))
    .await;
    let found = house.get("/doctor").await;
    assert!(
        found
            .to_string()
            .contains("tried once there is an instance")
    );
    let (_, names) = house.add(1).await;
    house.runner_is(&names[0], "ready").await;
    let found = house.get("/doctor").await;
    assert_eq!(found["ready"], true, "{found:#}");
    for name in [
        "DescribeInstances",
        "TerminateInstances",
        "CreateTags",
        "RunInstances",
        "launch template",
        "group many",
    ] {
        assert_eq!(problem(&house, name).await, None, "{name}");
    }
}

#[tokio::test]
async fn the_missing_right_is_named() {
    let house = House::of(USUAL).await;
    let (_, names) = house.add(1).await;
    house.runner_is(&names[0], "ready").await;
    for action in [
        "RunInstances",
        "TerminateInstances",
        "CreateTags",
        "DescribeInstanceStatus",
    ] {
        house.layer.rule(
            action,
            None,
            u32::MAX,
            Rule::Refuse(403, "UnauthorizedOperation"),
        );
        let said = problem(&house, action)
            .await
            .unwrap_or_else(|| panic!("{action} is denied"));
        assert!(said.contains("UnauthorizedOperation"), "{said}");
        house.layer.heal();
    }
    assert_eq!(house.living().await.len(), 1, "dry runs do nothing");
}

#[tokio::test]
async fn a_template_or_group_that_is_not_there_is_found() {
    let house = House::of("[aws.pool.default]\nlaunch_template = 'nowhere'\n").await;
    assert!(problem(&house, "launch template nowhere").await.is_some());
    let house = House::of("[aws.pool.default]\ngroup = 'nowhere'\n").await;
    assert!(problem(&house, "group nowhere").await.is_some());
}
