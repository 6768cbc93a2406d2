//! The audit log: one chain, whoever writes, and what breaks it is named.

use futures::future::join_all;
use hostler_core::audit::BrokenAt;
use hostler_store::{AuditFilter, AuditNote, By, NewEvent};
use sea_orm::{ConnectionTrait as _, Database};

use super::world::{BY, NOW, World, new_workload};

const ASKED: By<'static> = By {
    actor: "ada",
    now: NOW,
    origin: Some("10.0.0.7"),
};

fn event(number: usize) -> NewEvent {
    NewEvent {
        kind: "node.drained".to_owned(),
        project: None,
        subject: Some(format!("node {number}")),
        text: "a node was drained".to_owned(),
        data: serde_json::json!({"n": number, "a": "z"}),
    }
}

pub(crate) async fn changes_that_people_ask_for_are_chained(world: &World) {
    let store = &world.store;
    store
        .workload_insert(&BY, new_workload("quiet"), None)
        .await
        .unwrap();
    assert_eq!(
        store.audit_end().await.unwrap().number,
        0,
        "no person asked"
    );
    store
        .workload_insert(&ASKED, new_workload("echo"), None)
        .await
        .unwrap();
    let taken = store
        .workload_insert(&ASKED, new_workload("echo"), None)
        .await;
    assert!(taken.is_err());
    let note = AuditNote {
        action: "session.begun".to_owned(),
        subject: None,
        outcome: "refused",
        detail: serde_json::json!({}),
    };
    store.audit_note(&ASKED, note).await.unwrap();
    let rows = store
        .audit_list(&AuditFilter::default(), Some(0), 10)
        .await
        .unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let entry = &row.entry;
            (
                entry.number,
                entry.action.as_str(),
                entry.outcome.as_str(),
                entry.origin.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, "workload.created", "done", "10.0.0.7"),
            (2, "session.begun", "refused", "10.0.0.7")
        ]
    );
    let end = store.audit_verify().await.unwrap().unwrap();
    assert_eq!((end.number, end.hash), (2, rows[1].hash));
}

pub(crate) async fn many_at_once_append_one_chain(world: &World) {
    let stores = [world.again().await, world.again().await];
    let asks = (0..60_usize).map(|number| {
        let store = stores[number % 2].clone();
        tokio::spawn(async move { store.event_note(&ASKED, event(number)).await.unwrap() })
    });
    for asked in join_all(asks).await {
        asked.unwrap();
    }
    let end = world.store.audit_verify().await.unwrap().unwrap();
    assert_eq!(end.number, 60);
    let all = AuditFilter::default();
    let latest = world.store.audit_list(&all, None, 5).await.unwrap();
    let numbers: Vec<_> = latest.iter().map(|row| row.entry.number).collect();
    assert_eq!(numbers, [56, 57, 58, 59, 60]);
}

pub(crate) async fn the_first_entry_that_was_tampered_with_is_named(world: &World) {
    for number in 0..6 {
        world.store.event_note(&ASKED, event(number)).await.unwrap();
    }
    let db = Database::connect(&world.url).await.unwrap();
    let tamper = async |sql: &str| {
        db.execute_unprepared(sql).await.unwrap();
        world.store.audit_verify().await.unwrap().unwrap_err()
    };
    let short = tamper("DELETE FROM audit WHERE number = 6").await;
    assert_eq!(short, BrokenAt::Short { expected: 6 });
    let gap = tamper("DELETE FROM audit WHERE number = 4").await;
    assert_eq!(
        gap,
        BrokenAt::Missing {
            expected: 4,
            found: 5
        }
    );
    let changed = tamper("UPDATE audit SET actor = 'bob' WHERE number = 2").await;
    assert_eq!(changed, BrokenAt::Changed(2));
}
