//! What the README promises: up, run, answers, lists, stop, and nothing left.

use hostler_core::workload::WorkloadStatus;
use hostler_e2e::fleet::Fleet;
use hostler_e2e::{eventually, programs};

fn example(name: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/out/");
    let path = format!("{root}{name}");
    assert!(
        std::path::Path::new(&path).is_file(),
        "{path} is missing; `make examples` builds it"
    );
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_run_and_answer_and_leave_nothing() {
    let mut fleet = Fleet::up().await.expect("a fleet");
    fleet
        .say(&["run", &example("echo"), "--with-nats"])
        .await
        .expect("echo runs");
    fleet
        .say(&["run", &example("shout.wasm"), "--trigger", "shout"])
        .await
        .expect("shout runs");
    let upper = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/upper/upper.js");
    fleet
        .say(&["run", upper, "--trigger", "upper"])
        .await
        .expect("upper runs");
    let crash = example("crash");
    fleet
        .say(&["run", &crash, "--essential", "--detach"])
        .await
        .expect("crash is taken");

    let answer = eventually("echo answers", || async {
        fleet.say(&["call", "echo", "hello"]).await.ok()
    });
    assert_eq!(answer.await.expect("an answer").trim(), "hello");
    let answer = fleet
        .say(&["call", "shout", "hello"])
        .await
        .expect("an answer");
    assert_eq!(answer.trim(), "HELLO!");
    for calls in 1..=3 {
        let answer = fleet.say(&["call", "upper", "hello"]).await;
        let expected = format!("{{\"upper\":\"HELLO\",\"calls\":{calls}}}");
        assert_eq!(answer.expect("an answer").trim(), expected);
    }

    let client = fleet.client().expect("a client");
    let settled = eventually("crash has settled after two restarts", || async {
        let page = client
            .workloads(&hostler_wire::rest::WorkloadQuery::default())
            .await
            .ok()?;
        let crash = page
            .items
            .into_iter()
            .find(|workload| workload.name == "crash")?;
        let restarts = crash.seen.as_ref()?.restarts;
        (restarts == 2 && crash.status == WorkloadStatus::Running).then_some(crash)
    });
    settled.await.expect("it stays up");

    let list = fleet.say(&["ls", "--json"]).await.expect("a list");
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(4), "{list}");
    let logs = eventually("the echo's log line is kept", || async {
        let logs = fleet.say(&["logs", "echo"]).await.ok()?;
        (!logs.is_empty()).then_some(logs)
    });
    logs.await.expect("logs");
    let events = fleet.say(&["events"]).await.expect("events");
    assert!(events.contains("workload.created"), "{events}");
    let nodes = fleet.say(&["node", "ls"]).await.expect("nodes");
    assert!(nodes.contains("online"), "{nodes}");

    fleet.say(&["stop", "echo"]).await.expect("stopped");
    let list = fleet
        .say(&["ls", "--status", "stopped", "--json"])
        .await
        .expect("a list");
    assert!(list.contains("\"echo\""), "{list}");
    let left = fleet.interrupt().await.expect("a clean end");
    assert!(left.is_empty(), "left behind: {left:?}");
    let said = fleet.said();
    assert!(
        !said.contains("lost the"),
        "an end that was asked for: {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_in_the_same_folder_finds_everything_again() {
    let mut fleet = Fleet::up().await.expect("a fleet");
    let args = ["run", &example("shout.wasm"), "--trigger", "shout"];
    fleet.say(&args).await.expect("shout runs");
    fleet.interrupt().await.expect("a clean end");
    fleet.start().await.expect("up again");
    let answer = eventually("shout answers again", || async {
        fleet.say(&["call", "shout", "again"]).await.ok()
    });
    assert_eq!(answer.await.expect("an answer").trim(), "AGAIN!");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_fail_say_so_and_end_with_a_status() {
    let fleet = Fleet::up().await.expect("a fleet");
    let check = async |words: &[&str], status: i32, text: &str| {
        let output = fleet.cli(words).await.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{words:?}: {said}");
        assert!(said.contains(text), "{words:?}: {said}");
    };
    check(&["info", "nobody"], 1, "there is no workload 'nobody'").await;
    check(&["run", "/nowhere"], 1, "could not read /nowhere").await;
    check(&["run"], 64, "required").await;
    check(&["up", "--grow-to", "0"], 64, "grow-to").await;
    check(&["control", "--runners", "x"], 64, "'x' is none of").await;
    let no_token = ["control", "--runners", "local"];
    check(&no_token, 64, "join_token_file is missing").await;
    check(&["ls", "--status", "sleeping"], 1, "not a status").await;
    check(&["--token", "wrong", "ls"], 1, "token").await;
    check(&["call", "nobody", "--timeout", "1"], 1, "nobody").await;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut unread = fleet.command(&["node", "ls"]).expect("a command");
    let unread = unread.stdout(writer).status().await.expect("it runs");
    assert_eq!(unread.code(), Some(0), "whoever reads has seen enough");
    let twice = fleet.cli(&["up"]).await.expect("it runs");
    assert_eq!(twice.status.code(), Some(1));
    let completions = fleet
        .say(&["completions", "bash"])
        .await
        .expect("completions");
    assert!(completions.contains("hostler"));
    assert!(programs::binary("hostler-agent").is_ok());
}
