//! What nodes say.

use hostler_core::id::NodeId;
use hostler_core::workload::SeenState;
use hostler_store::{EventFilter, HeartbeatOrder, SeenEntry, WorkloadRow};

use super::world::{NOW, World, boot, generation, report};

fn entry(row: &WorkloadRow, number: u64, state: SeenState) -> SeenEntry {
    SeenEntry {
        id: row.facts.id,
        generation: generation(number),
        state,
        slot: Some("slot".to_owned()),
        restarts: 0,
        problem: None,
    }
}

fn heartbeat(sequence: u64) -> HeartbeatOrder {
    HeartbeatOrder {
        boot: boot(1),
        sequence,
    }
}

pub(crate) async fn what_a_node_says_is_kept_and_told_on_change(world: &World) {
    let node = world.node("n1", 2).await;
    let row = world.seated("echo", node).await;
    let say = async |entry: &SeenEntry| {
        let said = std::slice::from_ref(entry);
        world
            .store
            .workload_seen(NOW, node, said, Some(heartbeat(1)))
            .await
            .unwrap()
    };
    let running = entry(&row, 2, SeenState::Running);
    assert_eq!(say(&running).await, [row.facts.id]);
    assert_eq!(say(&running).await, []);
    let mut restarted = running;
    restarted.restarts = 3;
    assert_eq!(say(&restarted).await, [], "kept, not told");
    let seen = world.row(&row).await.seen.unwrap();
    assert_eq!((seen.restarts, seen.slot.as_deref()), (3, Some("slot")));
    assert_eq!(
        (seen.state, seen.generation, seen.at),
        (SeenState::Running, generation(2), NOW)
    );
    let mut failed = entry(&row, 2, SeenState::Failed);
    failed.problem = Some("exit code 1".to_owned());
    assert_eq!(say(&failed).await, [row.facts.id]);
    let told = world.told(row.facts.id).await;
    assert_eq!(told[2..], ["workload.running", "workload.failed"]);
    let all = world
        .store
        .event_list(&EventFilter::default(), None, 1)
        .await
        .unwrap();
    assert_eq!(all[0].actor, "n1");
    assert!(all[0].text.contains("exit code 1"), "{}", all[0].text);
}

pub(crate) async fn older_or_foreign_words_change_nothing(world: &World) {
    let (node, other) = (world.node("n1", 2).await, world.node("n2", 2).await);
    let row = world.seated("echo", node).await;
    let stranger = world.workload("unseated").await;
    let check = async |speaker: NodeId, entry: SeenEntry| {
        let said = world
            .store
            .workload_seen(NOW, speaker, &[entry], None)
            .await
            .unwrap();
        assert_eq!(said, []);
    };
    check(node, entry(&row, 1, SeenState::Running)).await;
    check(other, entry(&row, 2, SeenState::Running)).await;
    check(node, entry(&stranger, 1, SeenState::Running)).await;
    assert_eq!(world.row(&row).await, row);
    assert_eq!(world.row(&stranger).await, stranger);
}

pub(crate) async fn an_outrun_heartbeat_changes_nothing(world: &World) {
    let node = world.node("n1", 2).await;
    let row = world.seated("echo", node).await;
    world
        .store
        .node_heartbeat(NOW, node, report(2, 2))
        .await
        .unwrap();
    let say = async |sequence, state| {
        let said = [entry(&row, 2, state)];
        world
            .store
            .workload_seen(NOW, node, &said, Some(heartbeat(sequence)))
            .await
            .unwrap()
    };
    assert_eq!(say(2, SeenState::Running).await, [row.facts.id]);
    assert_eq!(say(1, SeenState::Starting).await, []);
    assert_eq!(
        world.row(&row).await.seen.unwrap().state,
        SeenState::Running
    );
}
