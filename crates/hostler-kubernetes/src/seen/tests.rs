//! From copies to a snapshot, where no cluster is needed to see it.

use hostler_core::runner::{ReasonCode, Request};

use super::*;
use crate::watch::Node;

const fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn eye() -> Eye {
    Eye {
        namespace: "a".into(),
        manager: "m".into(),
        programs_in: "a".into(),
        pool: "default".parse().ok(),
    }
}

fn key(namespace: &str, name: &str) -> Key {
    (namespace.into(), name.into())
}

fn placeholder(created: i64, node: Option<&str>) -> Placeholder {
    Placeholder {
        uid: format!("p{created}"),
        created: at(created),
        manager: Some("m".into()),
        mark: None,
        pool: None,
        phase: if node.is_some() {
            Phase::Bound
        } else {
            Phase::Waiting
        },
        node: node.map(str::to_owned),
        ips: vec!["10.0.0.1".into()],
        why: None,
        is_terminating: false,
        placed_since: None,
    }
}

fn node(is_ready: bool) -> Node {
    Node {
        uid: "n".into(),
        ips: vec!["fd00::1".into(), "10.0.0.1".into()],
        is_ready,
        why: (!is_ready).then(|| "no word".into()),
        is_cordoned: false,
        notice: None,
        is_of_pool: true,
    }
}

fn world() -> World {
    let mut world = World::default();
    world.placeholders.relist(Vec::new(), at(0), at(0));
    world.programs.relist(Vec::new(), at(0), at(0));
    world.nodes.relist(Vec::new(), at(0), at(0));
    for state in [
        &mut world.placeholders.state,
        &mut world.programs.state,
        &mut world.nodes.state,
    ] {
        *state = State::Following(at(0));
    }
    world
}

fn look(world: &World, now: i64) -> (Snapshot, Option<Timestamp>) {
    see(world, &eye(), &Snapshot::default(), at(now))
}

#[track_caller]
fn exists(world: &World, now: i64) -> Option<bool> {
    let snapshot = look(world, now).0;
    let facts = snapshot.runners.values().next().expect("a runner");
    facts.machine.as_ref().expect("a machine").exists
}

#[test]
fn a_node_that_was_not_told_of_yet_is_not_lost_at_once() {
    let mut world = world();
    world
        .placeholders
        .put(key("a", "r"), placeholder(1, Some("n")), at(1_000));
    assert_eq!(exists(&world, 1_000), None);
    assert_eq!(
        look(&world, 1_000).1,
        Some(at(6_000)),
        "and is looked at again"
    );
    assert_eq!(exists(&world, 6_000), Some(false));
    world.nodes.put(key("", "n"), node(true), at(6_001));
    assert_eq!(exists(&world, 6_001), Some(true));
    world.nodes.take(&key("", "n"), at(6_002));
    assert_eq!(exists(&world, 6_002), Some(false), "seen to go");
}

#[test]
fn no_node_is_lost_while_nodes_cannot_be_seen() {
    let mut world = world();
    world
        .placeholders
        .put(key("a", "r"), placeholder(1, Some("n")), at(0));
    world.nodes.state = State::Failing(at(0), "gone".into());
    assert_eq!(exists(&world, 100_000), None);
    world.nodes.state = State::Denied("no".into());
    assert_eq!(exists(&world, 100_000), None);
    world.nodes.state = State::Following(at(100_000));
    assert_eq!(
        exists(&world, 100_001),
        None,
        "the watch has only just begun again"
    );
    assert_eq!(exists(&world, 105_000), Some(false));
}

#[test]
fn edge_a_dual_stack_node_s_primary_address_comes_first() {
    let mut world = world();
    world.nodes.put(key("", "n"), node(true), at(0));
    world
        .placeholders
        .put(key("a", "r"), placeholder(1, Some("n")), at(0));
    let snapshot = look(&world, 0).0;
    let machine = snapshot
        .runners
        .values()
        .next()
        .unwrap()
        .machine
        .clone()
        .unwrap();
    assert_eq!(machine.internal_ips, ["10.0.0.1", "fd00::1"]);
}

#[test]
fn requirement_17_the_oldest_placeholder_has_the_node_whoever_s_it_is() {
    let mut world = world();
    world.nodes.put(key("", "n"), node(true), at(0));
    world
        .placeholders
        .put(key("a", "young"), placeholder(2, Some("n")), at(0));
    let mut foreign = placeholder(1, Some("n"));
    foreign.manager = Some("another".into());
    world
        .placeholders
        .put(key("b", "old"), foreign.clone(), at(0));
    let request = |world: &World| look(world, 0).0.runners.values().next().unwrap().request;
    assert_eq!(request(&world), Request::Failed);
    assert_eq!(look(&world, 0).0.runners.len(), 1, "the other is not ours");
    foreign.is_terminating = true;
    world.placeholders.put(key("b", "old"), foreign, at(0));
    assert_eq!(
        request(&world),
        Request::Placed,
        "one that is ending has no claim"
    );
}

#[test]
fn what_the_autoscaler_says_outweighs_the_scheduler_and_the_latest_counts() {
    use ReasonCode::{MaxNodesReached, ScaleUpTriggered, Unschedulable};
    let mut world = world();
    let mut waiting = placeholder(1, None);
    waiting.why = Some("0/3 nodes are available".into());
    world.placeholders.put(key("a", "r"), waiting, at(0));
    let mut say = |name: &str, code, is_of_autoscaler, ms| {
        let event = Event {
            uid: name.into(),
            about: "p1".into(),
            reason: hostler_core::runner::Reason::new(code, name),
            is_of_autoscaler,
            at: at(ms),
        };
        world.events.put(key("a", name), event, at(0));
        let snapshot = look(&world, 0).0;
        let facts = snapshot.runners.values().next().unwrap().clone();
        facts
            .reasons
            .iter()
            .map(|reason| reason.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(say("e1", Unschedulable, false, 1), [Unschedulable]);
    assert_eq!(
        say("e2", MaxNodesReached, true, 2),
        [MaxNodesReached, Unschedulable]
    );
    assert_eq!(
        say("e3", Unschedulable, false, 3),
        [MaxNodesReached, Unschedulable]
    );
    assert_eq!(
        say("e4", ScaleUpTriggered, true, 4),
        [ScaleUpTriggered, Unschedulable]
    );
}

#[test]
fn facts_that_did_not_change_are_the_very_same() {
    let mut world = world();
    world
        .placeholders
        .put(key("a", "r"), placeholder(1, None), at(0));
    let (first, _) = look(&world, 0);
    let (second, _) = see(&world, &eye(), &first, at(1));
    let of = |snapshot: &Snapshot| snapshot.runners.values().next().unwrap().clone();
    assert!(Arc::ptr_eq(&of(&first), &of(&second)));
}

#[test]
fn nothing_is_concluded_before_everything_was_listed_once() {
    let mut world = World::default();
    assert!(!look(&world, 0).0.is_synced);
    world.placeholders.relist(Vec::new(), at(0), at(0));
    world.programs.relist(Vec::new(), at(0), at(0));
    assert!(!look(&world, 0).0.is_synced, "nodes may still come");
    world.nodes.state = State::Denied("no".into());
    let snapshot = look(&world, 0).0;
    assert!(snapshot.is_synced && snapshot.problem.is_none());
    assert!(snapshot.lacks[0].starts_with("nodes: get, list, watch"));
    world.placeholders.state = State::Failing(at(7), "refused".into());
    let snapshot = look(&world, 9).0;
    assert_eq!(
        snapshot.problem.unwrap().code,
        ReasonCode::ProviderUnreachable
    );
    assert_eq!(snapshot.stale_since, Some(at(7)));
    assert!(snapshot.is_synced, "what was seen still stands");
}

#[test]
fn requirement_16_a_node_that_will_be_taken_away_says_so() {
    let mut world = world();
    let mut doomed = node(true);
    doomed.notice = Some("karpenter.sh/disrupted");
    world.nodes.put(key("", "n"), doomed, at(0));
    world
        .placeholders
        .put(key("a", "r"), placeholder(1, Some("n")), at(0));
    let snapshot = look(&world, 0).0;
    let facts = snapshot.runners.values().next().unwrap();
    assert_eq!(facts.reasons[0].code, ReasonCode::InterruptionNotice);
}
