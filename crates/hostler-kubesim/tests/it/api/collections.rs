//! Lists: what is selected, in pages that show one moment, and deleted
//! together.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::cases;
use crate::target::{Reply, Target, pod};

cases![
    pages_show_one_moment,
    labels_and_fields_select,
    a_selection_is_deleted_together,
    names_are_generated,
    events_are_shown_in_both_groups,
];

fn names(reply: &Reply) -> Vec<String> {
    let items = reply.body["items"].as_array().cloned().unwrap_or_default();
    let name = |one: &Value| {
        one["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    items.iter().map(name).collect()
}

async fn five(target: &Target) -> Result<()> {
    for name in ["a", "b", "c", "d", "e"] {
        let mut body = pod(name);
        body["metadata"]["labels"]["letter"] = json!(name);
        target.post(&target.path("pods"), body).await?.is(201, "")?;
    }
    Ok(())
}

async fn pages_show_one_moment(target: &Target) -> Result<()> {
    five(target).await?;
    let first = target.get(&target.path("pods?limit=2")).await?;
    ensure!(names(&first) == ["a", "b"], "{first:?}");
    ensure!(
        first.body["metadata"]["remainingItemCount"] == 3,
        "{first:?}"
    );
    target.delete(&target.path("pods/d")).await?.is(200, "")?;
    target
        .post(&target.path("pods"), pod("cc"))
        .await?
        .is(201, "")?;
    let token = first.body["metadata"]["continue"]
        .as_str()
        .unwrap_or_default();
    let rest = target
        .get(&target.path(&format!("pods?limit=5&continue={token}")))
        .await?;
    ensure!(names(&rest) == ["c", "d", "e"], "{rest:?}");
    ensure!(
        rest.body["metadata"]["continue"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
    );
    let version = |reply: &Reply| reply.body["metadata"]["resourceVersion"].clone();
    ensure!(version(&first) == version(&rest));
    ensure!(names(&target.get(&target.path("pods")).await?) == ["a", "b", "c", "cc", "e"]);
    Ok(())
}

async fn labels_and_fields_select(target: &Target) -> Result<()> {
    five(target).await?;
    let rows: [(&str, &[&str]); 6] = [
        ("labelSelector=app%3Dsuite,letter%20in%20(a,b)", &["a", "b"]),
        ("labelSelector=letter!%3Da,!none", &["b", "c", "d", "e"]),
        ("fieldSelector=metadata.name%3Dc", &["c"]),
        (
            "fieldSelector=spec.nodeName%3D,metadata.name!%3Dc",
            &["a", "b", "d", "e"],
        ),
        ("fieldSelector=status.phase%3DRunning", &[]),
        (
            "labelSelector=letter%3De&fieldSelector=status.phase%3DPending",
            &["e"],
        ),
    ];
    for (query, expected) in rows {
        let found = target.get(&target.path(&format!("pods?{query}"))).await?;
        ensure!(names(&found) == expected, "{query}: {:?}", names(&found));
    }
    let unknown = target
        .get(&target.path("pods?fieldSelector=spec.nonsense%3Dx"))
        .await?;
    unknown.is(400, "field label not supported: spec.nonsense")?;
    Ok(())
}

async fn a_selection_is_deleted_together(target: &Target) -> Result<()> {
    five(target).await?;
    let some = target.path("pods?labelSelector=letter%20in%20(a,c)");
    let deleted = target.delete(&some).await?;
    ensure!(
        deleted.code == 200 && names(&deleted) == ["a", "c"],
        "{deleted:?}"
    );
    ensure!(names(&target.get(&target.path("pods")).await?) == ["b", "d", "e"]);
    Ok(())
}

async fn names_are_generated(target: &Target) -> Result<()> {
    let mut body = pod("");
    body["metadata"] = json!({"generateName": "node-placeholder-"});
    let one = target.post(&target.path("pods"), body.clone()).await?.body;
    let other = target.post(&target.path("pods"), body).await?.body;
    let name = |body: &Value| {
        body["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    ensure!(
        name(&one).starts_with("node-placeholder-") && name(&one).len() == 22,
        "{one}"
    );
    ensure!(name(&one) != name(&other));
    Ok(())
}

async fn events_are_shown_in_both_groups(target: &Target) -> Result<()> {
    let event = json!({
        "metadata": {"name": "told"}, "reason": "Told", "message": "words", "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": target.space},
        "source": {"component": "suite"}, "count": 2,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:01Z",
    });
    target
        .post(&target.path("events"), event)
        .await?
        .is(201, "")?;
    let core = target.path("events?fieldSelector=involvedObject.name%3Da");
    ensure!(target.get(&core).await?.body["items"][0]["message"] == "words");
    let none = target.path("events?fieldSelector=involvedObject.name%3Db");
    ensure!(names(&target.get(&none).await?).is_empty());
    let newer = target.group_path("events.k8s.io", "events/told");
    let shown = target.get(&newer).await?.body;
    ensure!(
        shown["note"] == "words" && shown["regarding"]["name"] == "a",
        "{shown}"
    );
    ensure!(
        shown["apiVersion"] == "events.k8s.io/v1" && shown["deprecatedCount"] == 2,
        "{shown}"
    );
    Ok(())
}
