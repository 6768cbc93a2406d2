//! Adding runners from a launch template.

use crate::house::{FLEET, House, USUAL};
use crate::layer::Rule;

#[tokio::test]
async fn runners_are_added_listed_and_ready() {
    let house = House::of(USUAL).await;
    let (job, names) = house.add(3).await;
    house.job_is(&job, "completed").await;
    for name in &names {
        let runner = house.runner_is(name, "ready").await;
        let node = runner["metadata"]["node_name"].as_str().unwrap();
        assert!(node.starts_with("i-"), "{runner}");
        assert!(
            runner["metadata"]["node_internal_ip"].is_string(),
            "{runner}"
        );
        assert_eq!(runner["metadata"]["placeholder_pod"], name.as_str());
    }
    assert_eq!(house.get("/runners").await.as_array().unwrap().len(), 3);
    assert_eq!(house.living().await.len(), 3);
}

#[tokio::test]
async fn an_instance_has_all_of_its_tags_from_its_first_moment() {
    let house = House::of(USUAL).await;
    let (job, names) = house.add(1).await;
    house.job_is(&job, "completed").await;
    let launch = house.layer.calls("RunInstances").remove(0);
    let tags: Vec<(&str, &str)> = (1..)
        .map_while(|at| {
            let key = launch.get(&format!("TagSpecification.1.Tag.{at}.Key"))?;
            Some((
                key.as_str(),
                launch[&format!("TagSpecification.1.Tag.{at}.Value")].as_str(),
            ))
        })
        .collect();
    for expected in [
        ("hostler:fleet", FLEET),
        ("hostler:runner", &names[0]),
        ("hostler:job", &job),
        ("hostler:pool", "default"),
        ("hostler:generation", "0"),
    ] {
        assert!(tags.contains(&expected), "{expected:?} in {tags:?}");
    }
    assert_eq!(launch["MetadataOptions.HttpTokens"], "required");
    assert_eq!(launch["MetadataOptions.HttpPutResponseHopLimit"], "1");
}

#[tokio::test]
async fn reads_never_call_aws() {
    let house = House::of(USUAL).await;
    let (job, names) = house.add(1).await;
    house.job_is(&job, "completed").await;
    // With nothing answered, everything is still read at once.
    house
        .layer
        .rule("DescribeInstances", None, u32::MAX, Rule::Hold);
    house
        .layer
        .rule("DescribeInstanceStatus", None, u32::MAX, Rule::Hold);
    house
        .layer
        .called(
            "DescribeInstances",
            house.layer.calls("DescribeInstances").len() + 1,
        )
        .await;
    let before = house.layer.calls("DescribeInstances").len();
    for _ in 0..100 {
        assert_eq!(house.get("/runners").await[0]["id"], names[0].as_str());
        assert_eq!(
            house.get(&format!("/runners/{}", names[0])).await["id"],
            names[0].as_str()
        );
    }
    assert_eq!(house.layer.calls("DescribeInstances").len(), before);
}

#[tokio::test]
async fn types_and_zones_are_tried_in_order_until_one_has_room() {
    let pools = "[[pool]]\nname = 'default'\ninstance_types = ['m5.large', 'm6i.large']\n\
                 zones = ['eu-west-1a', 'eu-west-1b']\n[aws.pool.default]\nlaunch_template = 'node'\n";
    let house = House::of(pools).await;
    let full = Rule::Refuse(500, "InsufficientInstanceCapacity");
    house.layer.rule(
        "RunInstances",
        Some(("InstanceType", "m5.large")),
        u32::MAX,
        full,
    );
    let (job, _) = house.add(1).await;
    house.job_is(&job, "completed").await;
    let tried: Vec<(String, String)> = house
        .layer
        .calls("RunInstances")
        .into_iter()
        .map(|call| {
            (
                call["InstanceType"].clone(),
                call["Placement.AvailabilityZone"].clone(),
            )
        })
        .collect();
    let expected = [
        ("m5.large", "eu-west-1a"),
        ("m5.large", "eu-west-1b"),
        ("m6i.large", "eu-west-1a"),
    ];
    assert_eq!(
        tried,
        expected.map(|(kind, zone)| (kind.to_owned(), zone.to_owned()))
    );
    assert_eq!(house.living().await.len(), 1);
}

#[tokio::test]
async fn a_pool_without_capacity_falls_back_to_another() {
    let pools = "[[pool]]\nname = 'default'\nspot = true\nfallback = ['steady']\n[[pool]]\nname = 'steady'\n\
                 [aws.pool.default]\nlaunch_template = 'node'\n[aws.pool.steady]\nlaunch_template = 'node'\n";
    let house = House::of(pools).await;
    let full = Rule::Refuse(500, "InsufficientInstanceCapacity");
    house.layer.rule(
        "RunInstances",
        Some(("InstanceMarketOptions.MarketType", "spot")),
        u32::MAX,
        full,
    );
    let (job, names) = house.add(2).await;
    house.job_is(&job, "completed").await;
    for name in names {
        assert_eq!(
            house.get(&format!("/runners/{name}")).await["pool"],
            "steady"
        );
    }
    assert_eq!(house.living().await.len(), 2);
}

#[tokio::test]
async fn without_a_fallback_the_reason_is_said_and_nothing_is_left() {
    let house = House::of(USUAL).await;
    let check = async |code: &'static str, expected: &str| {
        house
            .layer
            .rule("RunInstances", None, u32::MAX, Rule::Refuse(400, code));
        let (status, body) = house.post("/runners/add", "{}").await;
        assert!(status >= 400, "{body}");
        let text = body.to_string();
        assert!(
            text.contains(code) && text.contains(expected),
            "{expected}: {text}"
        );
        house.layer.heal();
        assert!(house.living().await.is_empty());
    };
    check("InsufficientInstanceCapacity", "no_capacity").await;
    check("VcpuLimitExceeded", "quota_exceeded").await;
    check("UnauthorizedOperation", "provider_denied").await;
    check(
        "InvalidLaunchTemplateName.NotFoundException",
        "provider_refused",
    )
    .await;
}
