//! Watches: from where they begin, what they tell, and how they end.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::cases;
use crate::target::{Target, pod};

cases![
    a_watch_goes_on_from_a_version,
    a_watch_without_a_version_begins_with_what_there_is,
    a_selecting_watch_sees_objects_come_and_go,
    an_expired_version_is_told_410_inside_a_200,
    a_streamed_list_ends_with_a_bookmark,
    a_watch_ends_in_its_time,
];

fn told(events: &[Value]) -> Vec<(String, String)> {
    let word = |one: &Value, path: &str| {
        one.pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let pair = |one: &Value| (word(one, "/type"), word(one, "/object/metadata/name"));
    events.iter().map(pair).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
    expected.iter().map(own).collect()
}

async fn version(target: &Target) -> Result<String> {
    let list = target.get(&target.path("configmaps")).await?;
    let version = list.body["metadata"]["resourceVersion"].as_str();
    Ok(version.unwrap_or_default().to_owned())
}

fn map(name: &str, labels: &Value) -> Value {
    json!({"metadata": {"name": name, "labels": labels}, "data": {}})
}

async fn a_watch_goes_on_from_a_version(target: &Target) -> Result<()> {
    let maps = target.path("configmaps");
    target
        .post(&maps, map("before", &json!({})))
        .await?
        .is(201, "")?;
    let from = version(target).await?;
    target
        .post(&maps, map("a", &json!({})))
        .await?
        .is(201, "")?;
    let change = json!({"data": {"x": "y"}});
    target
        .patch(&target.path("configmaps/a"), "merge-patch", change)
        .await?
        .is(200, "")?;
    target
        .delete(&target.path("configmaps/a"))
        .await?
        .is(200, "")?;
    let path = target.path(&format!("configmaps?watch=true&resourceVersion={from}"));
    let events = target.watch(&path, 3).await?;
    ensure!(told(&events) == pairs(&[("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]));
    let number = |one: &Value| -> u64 {
        let text = one["object"]["metadata"]["resourceVersion"].as_str();
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    };
    let numbers: Vec<u64> = events.iter().map(number).collect();
    ensure!(
        numbers.is_sorted() && numbers[2] > numbers[1],
        "{numbers:?}"
    );
    Ok(())
}

async fn a_watch_without_a_version_begins_with_what_there_is(target: &Target) -> Result<()> {
    target
        .post(&target.path("pods"), pod("a"))
        .await?
        .is(201, "")?;
    target
        .post(&target.path("pods"), pod("b"))
        .await?
        .is(201, "")?;
    let mut events = target.watch(&target.path("pods?watch=true"), 2).await?;
    events.sort_by_key(|one| one["object"]["metadata"]["name"].to_string());
    ensure!(
        told(&events) == pairs(&[("ADDED", "a"), ("ADDED", "b")]),
        "{events:?}"
    );
    Ok(())
}

async fn a_selecting_watch_sees_objects_come_and_go(target: &Target) -> Result<()> {
    let maps = target.path("configmaps");
    target
        .post(&maps, map("a", &json!({"in": "no"})))
        .await?
        .is(201, "")?;
    let from = version(target).await?;
    for value in ["yes", "yes-again", "no"] {
        let label = value.trim_end_matches("-again");
        let change = json!({"metadata": {"labels": {"in": label}}, "data": {"v": value}});
        target
            .patch(&target.path("configmaps/a"), "merge-patch", change)
            .await?
            .is(200, "")?;
    }
    let query = format!("configmaps?watch=true&resourceVersion={from}&labelSelector=in%3Dyes");
    let events = target.watch(&target.path(&query), 3).await?;
    ensure!(
        told(&events) == pairs(&[("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]),
        "{events:?}"
    );
    Ok(())
}

async fn an_expired_version_is_told_410_inside_a_200(target: &Target) -> Result<()> {
    if let Some(cluster) = &target.cluster {
        cluster.history_forget();
    }
    // A failed status would have failed the watch before its first line.
    let path = target.path("pods?watch=true&resourceVersion=1");
    let events = target.watch(&path, 1).await?;
    ensure!(events[0]["type"] == "ERROR", "{events:?}");
    let status = &events[0]["object"];
    ensure!(
        status["kind"] == "Status" && status["code"] == 410,
        "{status}"
    );
    ensure!(status["reason"] == "Expired", "{status}");
    let words = status["message"].as_str().unwrap_or_default();
    ensure!(
        words.starts_with("too old resource version: 1 ("),
        "{words}"
    );
    Ok(())
}

async fn a_streamed_list_ends_with_a_bookmark(target: &Target) -> Result<()> {
    target
        .post(&target.path("pods"), pod("a"))
        .await?
        .is(201, "")?;
    let query = "pods?watch=true&sendInitialEvents=true&allowWatchBookmarks=true\
                 &resourceVersionMatch=NotOlderThan";
    let events = target.watch(&target.path(query), 2).await?;
    ensure!(told(&events[..1]) == pairs(&[("ADDED", "a")]), "{events:?}");
    ensure!(events[1]["type"] == "BOOKMARK", "{events:?}");
    let mark = &events[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"];
    ensure!(mark == "true", "{events:?}");
    Ok(())
}

async fn a_watch_ends_in_its_time(target: &Target) -> Result<()> {
    let path = target.path("pods?watch=true&timeoutSeconds=1&resourceVersion=0");
    let whole = target.get(&path).await?;
    ensure!(whole.code == 200 && whole.body == "", "{whole:?}");
    Ok(())
}
