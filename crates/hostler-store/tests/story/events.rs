//! Events: one for each change, in one order for every reader.

use hostler_core::workload::Goal;
use hostler_store::{EventFilter, NewEvent};

use super::world::{BY, NOW, World, new_workload};

fn event(kind: &str) -> NewEvent {
    NewEvent {
        kind: kind.to_owned(),
        project: Some("default".to_owned()),
        subject: None,
        text: "something happened".to_owned(),
        data: serde_json::json!({"n": 1}),
    }
}

pub(crate) async fn every_change_is_told_with_its_author(world: &World) {
    let store = &world.store;
    let id = world.workload("echo").await.facts.id;
    store.event_note(&BY, event("node.drained")).await.unwrap();
    let ours = EventFilter {
        projects: Some(vec!["default".to_owned()]),
        subject: None,
    };
    let events = store.event_list(&ours, None, 2).await.unwrap();
    let told: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(told, ["workload.created", "node.drained"]);
    assert_eq!((events[0].actor.as_str(), events[0].at), ("ada", NOW));
    assert_eq!(events[0].subject, Some(id.to_string()));
    assert_eq!(events[1].data, serde_json::json!({"n": 1}));
    let rest = store
        .event_list(&ours, Some(events[0].id), 100)
        .await
        .unwrap();
    assert_eq!(rest, events[1..]);
    let theirs = EventFilter {
        projects: Some(vec!["other".to_owned()]),
        subject: None,
    };
    assert_eq!(store.event_list(&theirs, None, 100).await.unwrap(), []);

    assert_eq!(store.event_sweep(NOW).await.unwrap(), 0);
    let later = NOW + std::time::Duration::from_secs(1);
    assert_eq!(store.event_sweep(later).await.unwrap(), 3);
    assert_eq!(store.event_list(&ours, None, 100).await.unwrap(), []);
}

/// Two stores write, a third reads on from where it was, all the while.
pub(crate) async fn a_reader_that_continues_misses_nothing(world: &World) {
    const EACH: usize = 100;
    let reader = world.again().await;
    let mut after = reader
        .event_list(&EventFilter::default(), None, 1)
        .await
        .unwrap()[0]
        .id;
    let writers: Vec<_> = [world.again().await, world.again().await]
        .into_iter()
        .enumerate()
        .map(|(writer, store)| {
            tokio::spawn(async move {
                for number in 0..EACH {
                    let new = new_workload(&format!("w{writer}-{number}"));
                    let made = store.workload_insert(&BY, new, None).await.unwrap();
                    let id = made.row().facts.id;
                    store
                        .workload_goal_set(&BY, id, Goal::Stopped)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    let mut read = Vec::new();
    while read.len() < 4 * EACH {
        let done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = reader
            .event_list(&EventFilter::default(), Some(after), 7)
            .await
            .unwrap();
        after = page.last().map_or(after, |event| event.id);
        assert!(
            !done || !page.is_empty(),
            "only {} of {} were read",
            read.len(),
            4 * EACH
        );
        read.extend(page.into_iter().map(|event| event.id));
    }
    assert!(read.is_sorted());
    for writer in writers {
        writer.await.unwrap();
    }
}

pub(crate) async fn listeners_wake_after_the_commit(world: &World) {
    let mut changes = world.store.changes();
    let id = world.workload("echo").await.facts.id;
    let change = changes.recv().await.unwrap();
    assert_eq!(change.kind, "workload.created");
    assert_eq!(change.subject, Some(id.to_string()));
    let told = world
        .store
        .event_list(&EventFilter::default(), None, 1)
        .await
        .unwrap();
    assert_eq!(told[0].id, change.id);
    drop(
        world
            .store
            .workload_goal_set(&BY, id, Goal::Running)
            .await
            .unwrap(),
    );
    assert!(
        changes.try_recv().is_err(),
        "nothing changed, nothing is told"
    );
}
