//! The local provider with real processes, which stand in for nodes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hostler_core::Timestamp;
use hostler_core::id::JobId;
use hostler_core::runner::{Mark, Request, RunnerFacts, RunnerId, RunnerPool};
use hostler_daemon::process::{ProcessId, Signal};
use hostler_runners::clock;
use hostler_runners::provider::local::{Clear, Local, LocalOptions, power_off};
use hostler_runners::provider::{Order, Provider as _, ProviderError};
use tokio_util::sync::CancellationToken;

/// A program that notes each of its starts, leaves a child of its own group
/// behind, and ends well on SIGTERM.
const NODE: &str = r#"#!/bin/sh
data=
while [ $# -gt 0 ]; do [ "$1" = --data ] && data=$2; shift; done
mkdir -p "$data"; echo start >> "$data/starts"
setsid sh -c 'while :; do sleep 1; done' "$data/agent" &
trap 'exit 0' TERM
while :; do sleep 0.1; done
"#;

struct Yard {
    folder: tempfile::TempDir,
    delay: Duration,
    stop: CancellationToken,
    local: Arc<Local>,
}

impl Yard {
    fn new(delay: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("hostler");
        std::fs::write(&program, NODE).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        let (local, stop) = start(folder.path(), delay);
        Self {
            folder,
            delay,
            stop,
            local,
        }
    }

    /// The next life of the manager.
    fn restart(&mut self) {
        self.stop.cancel();
        (self.local, self.stop) = start(self.folder.path(), self.delay);
    }

    fn machine(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("machines").join(id(name).as_str())
    }

    async fn create(&self, name: &str) -> Result<(), ProviderError> {
        let order = Order {
            id: id(name),
            mark: Mark {
                job: JobId::from_parts(1, [1; 10]),
                index: 0,
                requested_at: Timestamp::from_ms(1),
                deadline: Timestamp::NEVER,
            },
            pool: Arc::new(RunnerPool::named("default".parse().unwrap())),
            machine: None,
        };
        self.local.create(&order).await
    }

    async fn until(&self, name: &str, is_so: impl Fn(Option<&RunnerFacts>) -> bool) {
        let id = id(name);
        let mut seen = self.local.snapshots();
        let waiting = seen.wait_for(|seen| is_so(seen.runners.get(&id).map(AsRef::as_ref)));
        let found = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        drop(found.expect("in time").unwrap());
    }

    async fn runs(&self, name: &str) -> ProcessId {
        self.until(name, |facts| {
            facts.is_some_and(|facts| facts.program.is_ready)
        })
        .await;
        ProcessId::read(&self.machine(name).join("process")).expect("it lives")
    }

    /// Waits until nothing but the node and its agent is left of its start.
    async fn settles(&self, name: &str) {
        let began = Instant::now();
        while self.starts(name) == 0 || workers(&self.machine(name)).len() != 2 {
            let left = workers(&self.machine(name));
            assert!(began.elapsed() < Duration::from_secs(5), "{left:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn starts(&self, name: &str) -> usize {
        let text = std::fs::read_to_string(self.machine(name).join("data/starts"));
        text.unwrap_or_default().lines().count()
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        self.stop.cancel();
        for pid in workers(&self.folder.path().join("machines")) {
            pid.signal(Signal::KILL);
        }
    }
}

fn start(folder: &Path, delay: Duration) -> (Arc<Local>, CancellationToken) {
    let table = format!(
        "[local]\nboot_delay_ms = {}\ngrace_ms = 3000\nmost = 3",
        delay.as_millis()
    );
    let table = table.parse().unwrap();
    let program = folder.join("hostler");
    let options = LocalOptions::read(&table, folder.join("machines"), program).unwrap();
    let stop = CancellationToken::new();
    (
        Local::start(options, clock::steady(), stop.clone()).unwrap(),
        stop,
    )
}

fn id(name: &str) -> RunnerId {
    format!("node-placeholder-{name}").parse().unwrap()
}

/// Processes with an argument below this folder.
fn workers(folder: &Path) -> Vec<ProcessId> {
    let below = format!("{}/", folder.display());
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let works = |pid: &i32| {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&below)
    };
    pids.filter(works).filter_map(ProcessId::of).collect()
}

async fn nothing_works(folder: &Path) {
    let began = Instant::now();
    let machines = folder.join("machines");
    while !workers(&machines).is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "orphans: {:?}",
            workers(&machines)
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_machine_boots_after_its_delay_and_only_once() {
    let yard = Yard::new(Duration::from_millis(300));
    yard.create("a").await.unwrap();
    yard.create("a").await.unwrap();
    yard.until("a", |facts| {
        facts.is_some_and(|facts| facts.request == Request::Waiting)
    })
    .await;
    yard.runs("a").await;
    assert_eq!(yard.local.snapshots().borrow().runners.len(), 1);
    let began = Instant::now();
    while yard.starts("a") == 0 && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(yard.starts("a"), 1);
}

#[tokio::test]
async fn a_released_machine_leaves_nothing_behind() {
    let yard = Yard::new(Duration::ZERO);
    yard.create("a").await.unwrap();
    yard.runs("a").await;
    yard.local.cordon(&id("a"), true).await.unwrap();
    yard.local.release(&id("a")).await.unwrap();
    yard.local.release(&id("a")).await.unwrap();
    yard.until("a", |facts| facts.is_none()).await;
    assert!(!yard.machine("a").exists());
    nothing_works(yard.folder.path()).await;
    yard.local.release(&id("a")).await.unwrap();
}

#[tokio::test]
async fn a_machine_is_found_again_after_a_restart() {
    let mut yard = Yard::new(Duration::ZERO);
    yard.create("a").await.unwrap();
    let before = yard.runs("a").await;
    yard.restart();
    assert_eq!(yard.runs("a").await, before);
    let mark = yard.local.snapshots().borrow().runners[&id("a")]
        .mark
        .unwrap();
    assert_eq!(mark.job, JobId::from_parts(1, [1; 10]));
    yard.local.release(&id("a")).await.unwrap();
    yard.restart();
    yard.until("a", |facts| facts.is_none()).await;
    nothing_works(yard.folder.path()).await;
}

#[tokio::test]
async fn machines_that_are_switched_off_are_switched_on_by_the_next_manager() {
    let mut yard = Yard::new(Duration::ZERO);
    yard.create("a").await.unwrap();
    let before = yard.runs("a").await;
    yard.settles("a").await;
    yard.stop.cancel();
    let (told, cleared) = (
        yard.machine("a").join("data"),
        Arc::new(AtomicBool::new(false)),
    );
    let noted = Arc::clone(&cleared);
    let clear: Clear = Arc::new(move |data: &Path| {
        noted.store(data == told, Ordering::Relaxed);
        Ok(())
    });
    let machines = yard.folder.path().join("machines");
    let count = power_off(&machines, Duration::from_secs(5), &clear).await;
    assert_eq!((count, before.lives()), (1, false));
    assert!(
        cleared.load(Ordering::Relaxed),
        "what it left elsewhere goes, too"
    );
    nothing_works(yard.folder.path()).await;
    yard.restart();
    assert_ne!(yard.runs("a").await, before);
    yard.settles("a").await;
    assert_eq!(yard.starts("a"), 2);
}

#[tokio::test]
async fn a_manager_that_dies_while_a_machine_starts_starts_it_once() {
    let mut yard = Yard::new(Duration::from_millis(20));
    for round in 0..5 {
        let name = format!("r{round}");
        yard.create(&name).await.unwrap();
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(8)).await;
            yard.restart();
        }
        let process = yard.runs(&name).await;
        assert!(process.lives());
        yard.settles(&name).await;
        assert_eq!(yard.starts(&name), 1);
        yard.local.release(&id(&name)).await.unwrap();
        yard.until(&name, |facts| facts.is_none()).await;
    }
    nothing_works(yard.folder.path()).await;
}

#[tokio::test]
async fn a_machine_that_is_killed_is_lost_with_all_that_ran_on_it() {
    let yard = Yard::new(Duration::ZERO);
    yard.create("a").await.unwrap();
    let process = yard.runs("a").await;
    process.signal(Signal::KILL);
    yard.until("a", |facts| facts.is_some_and(RunnerFacts::is_lost))
        .await;
    nothing_works(yard.folder.path()).await;
    assert_eq!(
        yard.starts("a").min(1),
        yard.starts("a"),
        "it is not started again"
    );
    yard.local.release(&id("a")).await.unwrap();
    yard.until("a", |facts| facts.is_none()).await;
}

#[tokio::test]
async fn this_machine_takes_only_so_many() {
    let yard = Yard::new(Duration::from_mins(1));
    for name in ["a", "b", "c", "c"] {
        yard.create(name).await.unwrap();
    }
    assert!(matches!(
        yard.create("d").await,
        Err(ProviderError::Quota(_))
    ));
}
