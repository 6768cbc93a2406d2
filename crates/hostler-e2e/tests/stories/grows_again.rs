//! A fleet that has grown is stopped or killed, and started again.

use std::collections::BTreeSet;

use hostler_e2e::machines::{Machine, machines};
use hostler_e2e::processes;
use hostler_e2e::witness::Count;

use crate::grows::{Growing, ONCE, groups};

/// One piece of work on the first node, one on a machine.
async fn grown() -> (Growing, [hostler_wire::rest::Workload; 2]) {
    let story = Growing::start().await;
    let works = [story.work("one").await, story.work("two").await];
    for work in &works {
        story.runs(work).await;
        story.is_counted(&work.name, ONCE).await;
    }
    (story, works)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_is_killed_finds_its_machines_again_at_work() {
    let (mut story, works) = grown().await;
    let before = machines(&story.fleet);
    let processes: Vec<_> = before.iter().filter_map(Machine::process).collect();
    story.fleet.kill_up().await.expect("killed");
    story.fleet.start().await.expect("up again");
    story.runs(&works[1]).await;
    assert_eq!(machines(&story.fleet), before);
    let after: Vec<_> = before.iter().filter_map(Machine::process).collect();
    assert_eq!(after, processes, "the machines run on");
    story.is_counted("two", ONCE).await;
    story.ends(&["one", "two"]).await;
    story.is_alone(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_switches_machines_off_and_the_next_start_on_again() {
    let (mut story, works) = grown().await;
    let before = machines(&story.fleet);
    let groups = groups(&before);
    assert!(!groups.is_empty(), "slots have control groups");
    let left = story.fleet.interrupt().await.expect("a clean end");
    assert!(left.is_empty(), "left behind: {left:?}");
    let left: Vec<_> = groups.iter().filter(|group| group.exists()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    story.fleet.start().await.expect("up again");
    for work in &works {
        story.runs(work).await;
        let again = Count { starts: 2, ..ONCE };
        story.is_counted(&work.name, again).await;
    }
    assert_eq!(machines(&story.fleet), before, "the same machines");
    story.ends(&["one", "two"]).await;
    story.is_alone(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_may_grow_no_longer_gives_its_machines_back() {
    let (mut story, works) = grown().await;
    let before: BTreeSet<_> = machines(&story.fleet).into_iter().collect();
    assert_eq!(before.len(), 1);
    story.fleet.interrupt().await.expect("a clean end");
    story.fleet.flags(&[]);
    story.fleet.start().await.expect("up again");
    story.runs(&works[0]).await;
    story.ends(&["one", "two"]).await;
    story.is_alone(&[]).await;
    let left = story.fleet.interrupt().await.expect("a clean end");
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(processes::below(&story.fleet.data()).is_empty());
}
