//! The relay without a NATS server: what is queued, what is dropped, and what
//! the messages look like.

use hostler_wire::nats::event::WorkloadStopped;

use super::*;

fn speaker() -> Speaker {
    Speaker {
        namespace: "default".into(),
        name: "echo".into(),
        slot: SlotId::from_parts(1, [7; 8]),
    }
}

fn next(relay: &Relay, outbox: &mut Outbox) -> (String, serde_json::Value) {
    let (subject, payload) = relay.message(outbox.0.try_recv().unwrap());
    (subject, serde_json::from_slice(&payload).unwrap())
}

#[test]
fn logs_go_out_in_the_documented_order_of_tokens() {
    let (relay, mut outbox) = Relay::new("NNODE", 8);
    relay.log(&speaker(), LogLevel::ERROR, "oops\n".to_owned());
    let (subject, payload) = next(&relay, &mut outbox);
    let slot = speaker().slot.to_string();
    assert_eq!(subject, format!("$NEX.logs.default.NNODE.echo.{slot}"));
    assert_eq!(
        payload,
        serde_json::json!({ "text": "oops\n", "level": "ERROR", "id": slot })
    );
}

#[test]
fn an_event_has_the_slot_as_source_or_else_the_node() {
    let (relay, mut outbox) = Relay::new("NNODE", 8);
    let stopped = || EventData::WorkloadStopped(WorkloadStopped::default());
    relay.workload_event(&speaker(), stopped());
    let (subject, payload) = next(&relay, &mut outbox);
    assert_eq!(subject, "$NEX.events.default.workload_stopped");
    assert_eq!(payload["source"], speaker().slot.to_string());
    relay.node_event(stopped());
    let (subject, payload) = next(&relay, &mut outbox);
    assert_eq!(subject, "$NEX.events.system.workload_stopped");
    assert_eq!(payload["source"], "NNODE");
}

#[test]
fn what_does_not_fit_is_counted_and_the_count_is_an_event() {
    let (relay, mut outbox) = Relay::new("NNODE", 2);
    for number in 0..5 {
        relay.log(&speaker(), LogLevel::INFO, number.to_string());
    }
    relay.forward(&speaker(), "custom".to_owned(), Bytes::from_static(b"{}"));
    relay.logs_dropped(4);
    let dropped = relay.drops.take();
    assert_eq!(dropped, Some(drops::Dropped { logs: 7, events: 1 }));
    assert_eq!(relay.drops.take(), None);
    assert_eq!(next(&relay, &mut outbox).1["text"], "0");
    assert_eq!(next(&relay, &mut outbox).1["text"], "1");
    let (subject, payload) = relay.message(drops::item("NNODE", dropped.unwrap()));
    let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(subject, "$NEX.events.system.relay_dropped");
    assert_eq!(payload["data"]["logs"], 7);
}
