//! Functions: answers, failures, limits.

use std::time::{Duration, Instant};

use async_nats::{HeaderMap, Message};
use hostler_wire::agent::{
    AgentDeployRequest, AgentLimits, AgentPhase, DeployResponse, ERROR_HEADER, RUNTIME_HEADER,
    TRIGGER_SUBJECT_HEADER,
};

use crate::bench::Bench;

/// Answers with payload and subject; `!` loops for ever, `?` says nothing,
/// anything else is copied, and its first byte goes to the log as well.
const MODULE: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $say (param $fd i32) (param $at i32) (param $len i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $len))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $n i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $n (i32.load (i32.const 8)))
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 33)) (then (loop $on (br $on))))
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 63)) (then (return)))
    (call $say (i32.const 1) (i32.const 1024) (local.get $n))
    (drop (call $args (i32.const 16) (i32.const 512)))
    (call $say (i32.const 1) (i32.const 524) (i32.const 8))
    (call $say (i32.const 2) (i32.const 1024) (i32.const 1))))"#;

fn request(bench: &Bench) -> AgentDeployRequest {
    let module = wat::parse_str(MODULE).unwrap();
    AgentDeployRequest {
        trigger_subjects: Some(vec!["calc.*".to_owned()]),
        limits: Some(AgentLimits {
            time_limit_ms: Some(1_000),
            ..AgentLimits::default()
        }),
        ..bench.request("wasm", &module, &[])
    }
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    assert_eq!(
        bench.deploy(&request(&bench)).await,
        DeployResponse::accepted()
    );
    bench
}

async fn trigger(bench: &Bench, payload: &str) -> Message {
    let mut headers = HeaderMap::new();
    headers.insert(TRIGGER_SUBJECT_HEADER, "calc.add");
    bench
        .ask("trigger", payload.as_bytes().to_vec(), headers)
        .await
}

fn header(message: &Message, name: &str) -> Option<String> {
    Some(message.headers.as_ref()?.get(name)?.to_string())
}

#[tokio::test]
async fn a_trigger_is_answered_with_all_that_was_written() {
    let bench = bench().await;
    for _ in 0..3 {
        let answer = trigger(&bench, "one and two").await;
        assert_eq!(answer.payload, "one and twocalc.add");
        assert!(
            header(&answer, RUNTIME_HEADER)
                .unwrap()
                .parse::<u64>()
                .unwrap()
                > 0
        );
        assert_eq!(header(&answer, ERROR_HEADER), None);
    }
    bench
        .until("its log", || (bench.written(2) == "ooo").then_some(()))
        .await;
    let state = bench.state().await;
    assert_eq!(
        (state.state, state.starts, state.calls),
        (AgentPhase::Running, 1, 3)
    );
    assert!(state.runtime_ns > 0);
    bench
        .until("the event", || bench.events("workload_started").pop())
        .await;
}

#[tokio::test]
async fn a_failure_is_answered_at_once_and_says_why() {
    let bench = bench().await;
    let answer = trigger(&bench, "?").await;
    assert_eq!(
        header(&answer, ERROR_HEADER).unwrap(),
        "the function wrote no output"
    );
    assert!(answer.payload.is_empty());
    let answer = trigger(&bench, "!").await;
    assert_eq!(
        header(&answer, ERROR_HEADER).unwrap(),
        "the function ran longer than 1s"
    );
    assert_eq!(trigger(&bench, "on").await.payload, "oncalc.add");
}

#[tokio::test]
async fn busy_functions_hold_nothing_else_up() {
    let bench = bench().await;
    let busy = async { tokio::join!(trigger(&bench, "!"), trigger(&bench, "!")) };
    bench.answers_during(busy).await;
}

#[tokio::test]
async fn an_undeployed_function_answers_no_more() {
    let bench = bench().await;
    bench.undeploy(0).await;
    assert_eq!(bench.state().await.state, AgentPhase::Exited);
    let began = Instant::now();
    loop {
        let subject = format!("agentint.{}.trigger", crate::bench::SLOT);
        match bench.node.request(subject, "x".into()).await {
            // The bench itself listens and never answers triggers.
            Err(error) if error.kind() == async_nats::RequestErrorKind::TimedOut => break,
            other => assert!(began.elapsed() < Duration::from_secs(5), "{other:?}"),
        }
    }
    assert!(bench.events("workload_stopped").is_empty());
}

#[tokio::test]
async fn what_is_no_module_is_refused() {
    let bench = Bench::new().await;
    let mut request = request(&bench);
    request.hash = bench.request("wasm", b"\0asm nonsense", &[]).hash;
    request.total_bytes = 13;
    let response = bench.deploy(&request).await;
    let message = response.message.unwrap();
    let expected = "Failed to validate workload: failed to compile module: ";
    assert!(
        !response.accepted && message.starts_with(expected),
        "{message}"
    );
    assert_eq!(bench.state().await.code, Some(-1));
}

#[tokio::test]
async fn a_module_larger_than_any_memory_is_refused() {
    let bench = Bench::new().await;
    let mut request = request(&bench);
    request.total_bytes = u64::MAX;
    let message = bench.deploy(&request).await.message.unwrap();
    let expected = "Failed to write workload artifact to temp dir: there is no memory";
    assert!(message.starts_with(expected), "{message}");
}

/// Answers with what `kv` says to the method and key in the payload, at 1024:
/// four bytes of method, then the key.
const ASKING: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "hostler" "ask" (func $ask (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "hostler" "answer_read" (func $answer (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 600) "kv")
  (func (export "_start") (local $n i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 512))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $n (i32.sub (i32.load (i32.const 8)) (i32.const 4)))
    (drop (call $ask (i32.const 600) (i32.const 2)
      (i32.const 1024) (select (i32.const 4) (i32.const 3)
        (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 107)))
      (i32.const 1028) (local.get $n) (i32.const 0) (i32.const 0)))
    (i32.store (i32.const 0) (i32.const 2048))
    (i32.store (i32.const 4)
      (call $answer (i32.const 0) (i32.const 0) (i32.const 2048) (i32.const 512)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

#[tokio::test]
async fn a_module_asks_the_node_for_host_services() {
    let bench = Bench::new().await;
    let module = wat::parse_str(ASKING).unwrap();
    let request = AgentDeployRequest {
        trigger_subjects: Some(vec!["calc.*".to_owned()]),
        ..bench.request("wasm", &module, &[])
    };
    assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    crate::script::serve(&bench).await;
    // The double of a node answers `get` with the key, and refuses `keys`.
    for _ in 0..3 {
        assert_eq!(trigger(&bench, "get colour").await.payload, "colour");
    }
    assert_eq!(trigger(&bench, "keys").await.payload, "it is away");
    let asked = bench.order();
    let gets = asked
        .iter()
        .filter(|one| *one == "rpc.default.probe.kv.get");
    assert_eq!(gets.count(), 3, "{asked:?}");
}
