//! A process is killed while it writes: whatever it acknowledged is there.
//!
//! The process is this test's own program, told by its environment to insert
//! until it is killed and to print every id it got an answer for.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hostler_core::id::WorkloadId;
use hostler_store::{SealingKey, Store};

use super::world::{BY, World, new_workload};

const URL: &str = "HOSTLER_STORE_CRASH_URL";
const ROUND: &str = "HOSTLER_STORE_CRASH_ROUND";
const MARK: &str = "acknowledged ";
const ROUNDS: usize = 3;

pub(crate) async fn what_was_acknowledged_survives_a_kill(world: &World) {
    for round in 0..ROUNDS {
        let url = world.url.clone();
        let kill = move || acknowledged_until_killed(&url, round);
        let acknowledged = tokio::task::spawn_blocking(kill).await.unwrap();
        let store = world.again().await;
        let found = store.workload_many(&acknowledged).await.unwrap();
        assert!(acknowledged.len() >= 100);
        assert_eq!(
            found.len(),
            acknowledged.len(),
            "round {round}: some were lost"
        );
        for row in found {
            let subject = Some(row.facts.id.to_string());
            let filter = hostler_store::EventFilter {
                subject,
                projects: None,
            };
            assert_eq!(store.event_list(&filter, None, 10).await.unwrap().len(), 1);
        }
    }
}

/// Kills it in the middle of writing, after a number of answers that differs
/// from round to round; reads what it had printed by then to the end.
fn acknowledged_until_killed(url: &str, round: usize) -> Vec<WorkloadId> {
    let mut child = inserter(url, round);
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 100 + 37 * round {
        let line = lines.next().expect("it goes on until it is killed");
        acknowledged.extend(id_in(&line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines.filter_map(|line| id_in(&line)));
    acknowledged
}

/// The last line may be torn; then its id was not acknowledged.
fn id_in(line: &str) -> Option<WorkloadId> {
    line.split_once(MARK)?.1.strip_suffix('.')?.parse().ok()
}

fn inserter(url: &str, round: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "story::crash::inserts_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, url)
        .env(ROUND, round.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is the process that the crash tests kill"]
async fn inserts_until_it_is_killed() {
    let url = std::env::var(URL).expect("only the crash tests run this");
    let round = std::env::var(ROUND).unwrap();
    let store = Store::open(&url, SealingKey::from_bytes([7; 32]))
        .await
        .unwrap();
    let next = Arc::new(AtomicUsize::new(0));
    let inserters = (0..16).map(|_| {
        let (store, next, round) = (store.clone(), next.clone(), round.clone());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let new = new_workload(&format!("r{round}-{number}"));
                let made = store.workload_insert(&BY, new, None).await.unwrap();
                let line = format!("{MARK}{}.\n", made.row().facts.id);
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        })
    });
    futures::future::join_all(inserters).await;
}
