//! The whole node with real guests: a service, functions in two languages, and all
//! that is told of them, out of machines of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::object_store::ObjectStore;
use futures::StreamExt as _;
use hostler_daemon::process::ProcessId;
use hostler_node::AtStop;
use hostler_node::hypervisor::DriverChoice;
use hostler_wire::nats::subject::{self, EVENTS_ALL, LOGS_ALL};
use hostler_wire::nats::{
    CloudEvent, EventData, LameDuckReply, Location, LogPayload, Message, NewDeploy, envelope,
};
use rustix::process::Signal;

use crate::kit;
use crate::support::requester::BUCKET;
use crate::support::{
    ControlNats, Ground, PATIENCE, Requester, TestNode, deploy_error, eventually,
};

/// Says `pong`, whatever it is asked.
const WASM: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "pong")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 4))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

const SCRIPT: &str = "(subject, payload) => { console.log('asked'); return payload.length; }";

#[tokio::test]
async fn services_and_functions_work_in_machines_of_their_own() {
    let (nats, ground) = (ControlNats::start().await, Ground::new());
    let Some(qemu) = kit::qemu(ground.folder.path()) else {
        return;
    };
    let _sweep = Sweep(ground.folder.path().canonicalize().unwrap());
    let mut options = ground.options(&nats);
    options.slots.driver = DriverChoice::Qemu(qemu);
    options.slots.pool.warm_most = 2;
    options.at_stop = AtStop::Ends;
    options.stop_grace = Duration::from_secs(5);
    let node = TestNode::start(options).await;
    let told = Told::new(&nats).await;
    let requester = Requester::new(&nats, &node.handle).await;
    artifacts(&requester, ground.folder.path()).await;
    eventually("two guests are warm", async || {
        (node.handle.slots().counts().ready == 2).then_some(())
    })
    .await;

    let service = requester
        .deploy(new(&requester, "stay", "elf"))
        .await
        .unwrap()
        .id;
    for (name, kind) in [("pong", "wasm"), ("count", "v8")] {
        requester.deploy(new(&requester, name, kind)).await.unwrap();
    }
    let ask = |name: &str| requester.ask(format!("fn.{name}"), b"four".to_vec());
    assert_eq!(ask("pong").await, b"pong");
    assert_eq!(ask("count").await, b"4");
    requester
        .deploy(new(&requester, "hog", "elf"))
        .await
        .unwrap();
    let Told {
        mut events,
        mut logs,
    } = told;
    lines(&mut logs, &["hello\n", "asked"]).await;
    ended(&mut events, "hog").await;

    let stopped = requester.stop(&service, "stay").await.unwrap();
    assert!(stopped.stopped);
    let duck = requester.ask(subject::lame_duck(&requester.node), Vec::new());
    let duck: LameDuckReply = envelope::decode(&duck.await).unwrap();
    assert!(duck.success);
    let refused = deploy_error(requester.deploy(new(&requester, "stay", "elf")).await);
    assert!(refused.contains("lame duck"), "{refused}");
    assert_eq!(ask("pong").await, b"pong", "what runs goes on");
    node.stop().await;
    nothing_runs_in(ground.folder.path());
}

/// What is told, from before there is anything.
struct Told {
    events: Subscriber,
    logs: Subscriber,
}

impl Told {
    async fn new(nats: &ControlNats) -> Self {
        let client = nats.client().await;
        let events = client.subscribe(EVENTS_ALL).await.unwrap();
        let logs = client.subscribe(LOGS_ALL).await.unwrap();
        client.flush().await.unwrap();
        Self { events, logs }
    }
}

fn new(requester: &Requester, name: &str, kind: &str) -> NewDeploy {
    let subjects = (kind != "elf").then(|| format!("fn.{name}"));
    let object = if kind == "elf" { "program" } else { name };
    NewDeploy {
        name: name.to_owned(),
        r#type: kind.to_owned(),
        argv: vec![name.to_owned()],
        location: Location::object(BUCKET, object),
        trigger_subjects: subjects.into_iter().collect(),
        ..requester.service()
    }
}

async fn artifacts(requester: &Requester, folder: &Path) {
    let jetstream = async_nats::jetstream::new(requester.client.clone());
    let store = jetstream.get_object_store(BUCKET).await.unwrap();
    let program = folder.join("program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slots/guest.c");
    let built = Command::new("cc")
        .args(["-static", "-O1", "-o"])
        .args([&program, &source])
        .status();
    assert!(built.unwrap().success());
    put(&store, "program", &std::fs::read(program).unwrap()).await;
    put(&store, "pong", &wat::parse_str(WASM).unwrap()).await;
    put(&store, "count", SCRIPT.as_bytes()).await;
}

async fn put(store: &ObjectStore, name: &str, mut bytes: &[u8]) {
    store.put(name, &mut bytes).await.unwrap();
}

/// Waits until each of these was logged.
async fn lines(logs: &mut Subscriber, wanted: &[&str]) {
    let mut wanted = wanted.to_vec();
    let all = async {
        while !wanted.is_empty() {
            let line = logs.next().await.unwrap();
            let line = LogPayload::decode(&line.payload).unwrap().text;
            wanted.retain(|wanted| !line.contains(wanted));
        }
    };
    let all = tokio::time::timeout(PATIENCE, all).await;
    assert!(all.is_ok(), "not logged: {wanted:?}");
}

/// Waits until a workload was killed, and until all that worked were said to.
async fn ended(events: &mut Subscriber, name: &str) {
    let mut answered = Vec::new();
    let killed = async {
        loop {
            let event = CloudEvent::decode(&events.next().await.unwrap().payload).unwrap();
            match event.typed() {
                Some(EventData::FunctionExecSucceeded(data)) => answered.push(data.workload_name),
                Some(EventData::WorkloadStopped(data)) if data.workload_name == name => {
                    return data.code;
                }
                _ => {}
            }
        }
    };
    let code = tokio::time::timeout(PATIENCE, killed).await;
    assert_eq!(code, Ok(-1));
    answered.sort();
    assert_eq!(answered, ["count", "pong"]);
}

/// Ends the guests of a test that failed.
struct Sweep(PathBuf);

impl Drop for Sweep {
    fn drop(&mut self) {
        for process in processes_in(&self.0) {
            process.signal(Signal::KILL);
        }
    }
}

fn nothing_runs_in(folder: &Path) {
    let folder = folder.canonicalize().unwrap();
    let slots = std::fs::read_dir(folder.join("data/slots")).unwrap();
    assert_eq!(slots.count(), 0);
    assert_eq!(processes_in(&folder), []);
}

/// Those that were started in this folder or below it.
fn processes_in(folder: &Path) -> Vec<ProcessId> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let inside = |pid: &i32| {
        let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        cwd.starts_with(folder)
    };
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(inside).filter_map(ProcessId::of).collect()
}
