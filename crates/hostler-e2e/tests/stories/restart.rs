//! `kill -9` of each daemon, again and again at random moments: running work
//! goes on, is adopted, never doubled, never forgotten.

use std::time::Duration;

use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_daemon::process::{ProcessId, Signal};
use hostler_e2e::fleet::Fleet;
use hostler_e2e::witness::{Count, Witness};
use hostler_e2e::{eventually, programs};
use hostler_wire::rest::Workload;

const KILLS: usize = 50;
const ONE: Count = Count {
    starts: 1,
    alive: 1,
    most: 1,
};

struct Story {
    fleet: Fleet,
    witness: Witness,
    workloads: Vec<Workload>,
}

async fn story() -> Story {
    let fleet = Fleet::up().await.expect("a fleet");
    let witness = Witness::start().await.expect("a witness");
    let bytes = std::fs::read(programs::counter(fleet.folder()).expect("built")).expect("read");
    let mut workloads = Vec::new();
    for name in ["one", "two", "three"] {
        let made = fleet.create(name, Kind::Elf, bytes.clone(), |body| {
            body.essential = true;
            body.environment
                .insert("WITNESS_PORT".into(), witness.port().to_string());
            body.environment.insert("WITNESS_NAME".into(), name.into());
        });
        workloads.push(made.await.expect("created"));
    }
    for workload in &workloads {
        fleet
            .wait_for(workload, WorkloadStatus::Running)
            .await
            .expect("it runs");
    }
    Story {
        fleet,
        witness,
        workloads,
    }
}

/// Kills what `victim` finds, `KILLS` times, and tells what became of the work.
async fn kill_again_and_again(victim: impl Fn(&Fleet) -> Option<ProcessId>) {
    let story = story().await;
    for _ in 0..KILLS {
        let pause = Duration::from_millis(rand::random_range(0..150));
        tokio::time::sleep(pause).await;
        let found = eventually("the victim lives", || async { victim(&story.fleet) }).await;
        found.expect("a victim").signal(Signal::KILL);
    }
    for workload in &story.workloads {
        story
            .fleet
            .wait_for(workload, WorkloadStatus::Running)
            .await
            .expect("it runs");
        let seen = format!("{} is one", workload.name);
        let counted = eventually(&seen, || async {
            (story.witness.count(&workload.name) == ONE).then_some(())
        });
        let told = || {
            format!(
                "{:?}\n{}",
                story.witness.count(&workload.name),
                story.fleet.said()
            )
        };
        assert!(counted.await.is_ok(), "{}: {}", workload.name, told());
    }
    new_work_is_taken(&story).await;
}

async fn new_work_is_taken(story: &Story) {
    let bytes = std::fs::read(story.fleet.folder().join("counter")).expect("read");
    let made = story.fleet.create("after", Kind::Elf, bytes, |body| {
        body.environment
            .insert("WITNESS_PORT".into(), story.witness.port().to_string());
        body.environment
            .insert("WITNESS_NAME".into(), "after".into());
    });
    let made = made.await.expect("created");
    story
        .fleet
        .wait_for(&made, WorkloadStatus::Running)
        .await
        .expect("it runs");
    story.fleet.say(&["rm", "after"]).await.expect("removed");
    let gone = eventually("it is gone", || async {
        (story.witness.count("after").alive == 0).then_some(())
    });
    gone.await.expect("gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_control_plane_leaves_work_alone() {
    kill_again_and_again(|fleet| fleet.part("control")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_node_leaves_work_alone() {
    kill_again_and_again(|fleet| fleet.part("node")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_inner_nats_leaves_work_alone() {
    kill_again_and_again(Fleet::inner).await;
}
