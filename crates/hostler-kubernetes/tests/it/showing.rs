//! What is shown, while nodes come.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{PLACEHOLDERS, Rig, SOON, node_of, word};

#[tokio::test]
async fn row_1_status_pending_provisioning_ready_with_what_is_known() -> Result<()> {
    let rig = Rig::stepped(3).await?;
    let life = rig.home.live().await?;
    let answer = life.add(2).await;
    let names = answer.names();
    assert_eq!(answer.body["provider"], "kubernetes");
    let path = format!("/runners/{}", names[0]);
    let runner = life
        .until(SOON, &path, |body| {
            body["reason"]["code"] == "Unschedulable"
        })
        .await?;
    assert_eq!(runner["status"], "pending");
    assert_eq!(runner["metadata"], json!({"placeholder_pod": names[0]}));

    rig.cluster.step(Duration::from_secs(11));
    life.until(SOON, &path, |body| {
        body["reason"]["code"] == "ScaleUpTriggered"
    })
    .await?;
    rig.cluster.step(Duration::from_mins(1));
    life.all(&names, "ready").await?;
    let list = life.get("/runners").await.body;
    for runner in list.as_array().unwrap() {
        let metadata = &runner["metadata"];
        let node = rig
            .cluster
            .look(|view| view.node(word(&metadata["node_name"])))
            .unwrap();
        let ip = node["status"]["addresses"].as_array().unwrap().iter();
        let ip = ip.clone().find(|one| one["type"] == "InternalIP").unwrap();
        assert_eq!(metadata["node_internal_ip"], ip["address"]);
        assert!(
            word(&metadata["runner_pod"]).starts_with("daytona-runner"),
            "{metadata}"
        );
    }
    let job = life.job(&answer.job(), "completed").await?;
    assert_eq!(job["scheduled_count"], 2);
    Ok(())
}

#[tokio::test]
async fn reading_never_calls_the_api_server() -> Result<()> {
    let rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 3).await?;
    let before = reads(&rig);
    for _ in 0..50 {
        assert_eq!(life.get("/runners").await.body.as_array().unwrap().len(), 3);
        life.get(&format!("/runners/{}", names[0])).await;
        for path in ["/jobs", "/nodes", "/pools", "/health", "/ready"] {
            assert_eq!(life.get(path).await.status, 200, "{path}");
        }
    }
    assert_eq!(reads(&rig), before);
    Ok(())
}

/// Requests for what a reader could ask about; the lease and the book have
/// their own pace.
fn reads(rig: &Rig) -> u64 {
    let of = |verb: &str| -> u64 {
        ["pods", "nodes", "events"]
            .iter()
            .map(|one| rig.cluster.requests(verb, one))
            .sum()
    };
    of("get") + of("list")
}

#[tokio::test]
async fn row_2_01_and_edge_path_characters_are_not_found_and_no_call_is_made() -> Result<()> {
    let rig = Rig::instant(1).await?;
    let life = rig.home.live().await?;
    let foreign = json!({"metadata": {"name": "database"}, "spec": {
        "containers": [{"name": "c", "image": "i"}]}});
    rig.make("/api/v1/namespaces/default/pods", foreign).await?;
    let before = reads(&rig);
    for name in [
        "..%2f",
        "..%2fnodes",
        "database",
        "a%20b",
        "UPPER",
        "no-such-runner",
    ] {
        let answer = life.get(&format!("/runners/{name}")).await;
        assert_eq!(answer.status, 404, "{name}");
        assert!(answer.body["error"].is_string());
    }
    assert_eq!(reads(&rig), before);
    Ok(())
}

#[tokio::test]
async fn row_2_14_running_is_ready_only_when_that_is_said() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    rig.home.rules.status.running_is_ready = true;
    let life = rig.home.live().await?;
    let names = rig.at_work(&life, 1).await?;
    let node = node_of(&life, &names[0]).await;
    rig.cluster.machine_ails(&node, true);
    let path = format!("/runners/{}", names[0]);
    let ill = life
        .until(SOON, &path, |body| body["status"] == "provisioning")
        .await?;
    assert_eq!(ill["reason"]["code"], "NodeNotReady");
    rig.cluster.machine_ails(&node, false);
    life.all(&names, "ready").await
}

#[tokio::test]
async fn row_2_17_an_unmanaged_node_is_shown_and_the_next_placeholder_takes_it() -> Result<()> {
    let rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    let node = rig.cluster.machine_add("runners").expect("a machine");
    let shown = |body: &Value, managed: bool| {
        let nodes = body.as_array().cloned().unwrap_or_default();
        nodes
            .iter()
            .any(|one| one["name"] == node && one["managed"] == managed)
    };
    life.until(SOON, "/nodes", |body| shown(body, false))
        .await?;
    let names = rig.at_work(&life, 1).await?;
    assert_eq!(node_of(&life, &names[0]).await, node);
    assert_eq!(
        rig.cluster.look(|view| view.nodes().len()),
        1,
        "no node was bought"
    );
    life.until(SOON, "/nodes", |body| shown(body, true)).await?;
    Ok(())
}

#[tokio::test]
async fn row_2_17_and_requirement_18_a_node_is_adopted_by_name() -> Result<()> {
    let rig = Rig::instant(5).await?;
    let life = rig.home.live().await?;
    let nodes: Vec<String> = (0..3)
        .filter_map(|_| rig.cluster.machine_add("runners"))
        .collect();
    let is_there = |body: &Value| body.as_array().is_some_and(|all| all.len() == 3);
    life.until(SOON, "/nodes", is_there).await?;
    let answer = life
        .call("POST", &format!("/nodes/{}/adopt", nodes[2]), "", "")
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    life.all(&answer.names(), "ready").await?;
    assert_eq!(node_of(&life, &answer.names()[0]).await, nodes[2]);
    Ok(())
}

#[tokio::test]
async fn row_2_18_a_terminating_placeholder_stays_in_the_list_with_its_last_status() -> Result<()> {
    let rig = Rig::stepped(1).await?;
    let life = rig.home.live().await?;
    let names = rig.grown(&life).await?;
    let path = format!("/api/v1/namespaces/default/pods/{}", names[0]);
    let request = axum::http::Request::delete(path).body(Vec::new())?;
    let _deleted: Value = rig.admin().await?.request(request).await?;
    let path = format!("/runners/{}", names[0]);
    let ending = |body: &Value| body["metadata"]["terminating"] == "true";
    let runner = life.until(SOON, &path, ending).await?;
    assert_eq!(runner["status"], "ready");
    Ok(())
}

#[tokio::test]
async fn row_2_24_and_edge_a_thousand_placeholders_are_one_cached_read_in_a_stable_order()
-> Result<()> {
    let mut rig = Rig::stepped(0).await?;
    rig.home.rules.max_add = 1_000;
    let life = rig.home.live().await?;
    life.add(1_000).await;
    rig.until(|view| view.pods(PLACEHOLDERS).len() == 1_000)
        .await?;
    let all = |body: &Value| body.as_array().is_some_and(|all| all.len() == 1_000);
    let first = life.until(SOON, "/runners", all).await?;
    let before = reads(&rig);
    let second = life.get("/runners").await.body;
    let ids = |body: &Value| -> Vec<String> {
        body.as_array()
            .unwrap()
            .iter()
            .map(|one| word(&one["id"]).to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(reads(&rig), before);
    Ok(())
}

#[tokio::test]
async fn placeholders_that_the_seed_s_service_made_are_taken_over() -> Result<()> {
    let rig = Rig::instant(2).await?;
    let pod = json!({
        "metadata": {"name": "node-placeholder-abc123", "labels": {"app": "node-placeholder"}},
        "spec": {"nodeSelector": {"daytona-sandbox-c": "true"},
            "tolerations": [{"key": "sandbox", "operator": "Exists"}],
            "containers": [{"name": "pause", "image": "pause"}]},
    });
    rig.make("/api/v1/namespaces/default/pods", pod).await?;
    let life = rig.home.live().await?;
    let names = ["node-placeholder-abc123".to_owned()];
    life.all(&names, "ready").await?;
    assert_eq!(life.remove(&names).await.status, 200);
    assert_eq!(rig.count(), 0);
    Ok(())
}
