//! What the node publishes by itself: events and logs (protocol 4; 11.1).

use async_nats::Subscriber;
use futures::StreamExt as _;
use hostler_wire::nats::subject::{EVENTS_ALL, LOGS_ALL, parse_event, parse_log};
use hostler_wire::nats::{CloudEvent, EventData, LogLevel, LogPayload, Message};

use crate::support::{ControlNats, Ground, Requester, TestNode};

async fn event(events: &mut Subscriber, wanted: &str) -> (String, CloudEvent) {
    let found = async {
        loop {
            let message = events.next().await.unwrap();
            let (namespace, kind) = parse_event(&message.subject).expect("four tokens");
            if kind == wanted {
                let event = CloudEvent::decode(&message.payload).unwrap();
                return (namespace.to_owned(), event);
            }
        }
    };
    let found = tokio::time::timeout(crate::support::PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("no {wanted}"))
}

#[tokio::test]
async fn a_node_tells_of_its_start_and_of_its_end() {
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let client = nats.client().await;
    let mut events = client.subscribe(EVENTS_ALL).await.unwrap();
    client.flush().await.unwrap();
    let node = TestNode::start(ground.options(&nats)).await;
    let id = node.handle.node.clone();
    let (namespace, started) = event(&mut events, "node_started").await;
    assert_eq!(namespace, "system");
    assert_eq!(started.source, id);
    assert_eq!(started.specversion, "1.0");
    node.stop().await;
    let (_, stopped) = event(&mut events, "node_stopped").await;
    let Some(EventData::NodeStopped(data)) = stopped.typed() else {
        panic!("{stopped:?}");
    };
    assert!(data.graceful);
    assert_eq!(data.id, id);
}

#[tokio::test]
async fn m2_lines_of_a_workload_come_in_the_documented_order_with_sensible_levels() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let mut logs = requester.client.subscribe(LOGS_ALL).await.unwrap();
    requester.client.flush().await.unwrap();
    let id = requester.deploy(requester.service()).await.unwrap().id;
    ground.fake.print(id.parse().unwrap(), "hello\n").await;
    let message = logs.next().await.unwrap();
    let expected = format!("$NEX.logs.default.{}.echo.{id}", requester.node);
    assert_eq!(message.subject.as_str(), expected);
    assert_eq!(parse_log(&message.subject).unwrap().workload, "echo");
    let payload = LogPayload::decode(&message.payload).unwrap();
    assert_eq!(payload.text, "hello\n");
    assert_eq!(payload.level, LogLevel::INFO);
    assert_eq!(payload.id, id);
    node.stop().await;
}

#[tokio::test]
async fn a_workload_that_ends_by_itself_is_told_of_once_and_forgotten() {
    let (nats, ground, node) = TestNode::alone().await;
    let requester = Requester::new(&nats, &node.handle).await;
    let mut events = requester.client.subscribe(EVENTS_ALL).await.unwrap();
    requester.client.flush().await.unwrap();
    let id = requester.deploy(requester.service()).await.unwrap().id;
    ground.fake.exit(id.parse().unwrap(), 3).await;
    let (namespace, stopped) = event(&mut events, "workload_stopped").await;
    assert_eq!(namespace, "default");
    assert_eq!(stopped.source, id);
    let Some(EventData::WorkloadStopped(data)) = stopped.typed() else {
        panic!("{stopped:?}");
    };
    assert_eq!(data.code, 3);
    assert_eq!(
        data.message,
        format!("Exited workload: echo; vm: {id}; status: 3")
    );
    crate::support::eventually("it is forgotten", async || {
        node.handle.roster().borrow().views.is_empty().then_some(())
    })
    .await;
    node.stop().await;
    let (_, _) = event(&mut events, "node_stopped").await;
}
