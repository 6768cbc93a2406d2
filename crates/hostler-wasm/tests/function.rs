//! Functions as they are met: every promise of a call, kept or broken by a
//! module written for it.

// Helpers of tests may fail like the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hostler_wasm::{Answering, Ask, Host, HostError};
use hostler_wasm::{Call, CompileError, Function, Limits, Report, RunError};
use hostler_wasm::{Runtime, RuntimeOptions};

/// The imports and memory that all modules here share.
const PRELUDE: &str = r#"
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func $say (param $fd i32) (param $at i32) (param $len i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $len))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
"#;

/// Reads stdin to its end and writes it back, read by read.
const ECHO: &str = r#"
  (func (export "_start") (local $n i32)
    (loop $again
      (i32.store (i32.const 0) (i32.const 64))
      (i32.store (i32.const 4) (i32.const 7))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $n (i32.load (i32.const 8)))
      (if (local.get $n) (then
        (call $say (i32.const 1) (i32.const 64) (local.get $n))
        (br $again)))))
"#;

/// Writes 128 KiB to file descriptor `fd`, sixteen times, then says `ok`.
const FLOOD: &str = r#"
  (data (i32.const 60) "ok")
  (func (export "_start") (local $n i32)
    (loop $again
      (call $say (i32.const FD) (i32.const 64) (i32.const 131000))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 16))))
    (call $say (i32.const 1) (i32.const 60) (i32.const 2)))
"#;

/// Sleeps for an hour on the monotonic clock.
const SLEEP: &str = r#"
  (func (export "_start")
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 3600000000000))
    (drop (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 8))))
"#;

/// The imports with which a host is asked, and what is asked with them: texts at
/// fixed places, `kv` at 600, `get` at 604, `drop` at 608, `key` at 616.
const ASKING: &str = r#"
  (import "hostler" "ask" (func $ask (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "hostler" "answer_len" (func $len (param i32) (result i32)))
  (import "hostler" "answer_read" (func $answer (param i32 i32 i32 i32) (result i32)))
"#;

/// Says what it was asked, once it has waited; refuses to drop anything.
struct Mirror;

impl Host for Mirror {
    fn ask(&self, ask: Ask) -> Answering<'_> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if ask.method == "drop" {
                return Err(HostError("not that".to_owned()));
            }
            let name = ask.name.unwrap_or_default();
            let said = format!("{}.{} {name} {}", ask.service, ask.method, ask.body.len());
            Ok(vec![said.into(), Bytes::from_static(b"second")])
        })
    }
}

fn asking(body: &str) -> Function {
    let data = r#"(data (i32.const 600) "kv\00\00get\00drop\00\00\00\00key")"#;
    let module = format!("(module {ASKING} {PRELUDE} {data} {body})");
    runtime().compile(&wat::parse_str(module).unwrap()).unwrap()
}

fn runtime() -> Runtime {
    Runtime::new(RuntimeOptions::default()).unwrap()
}

fn function(body: &str) -> Function {
    let module = wat::parse_str(format!("(module {PRELUDE} {body})")).unwrap();
    runtime().compile(&module).unwrap()
}

fn call(function: &Function, payload: &[u8], limits: Limits) -> Report {
    let environment = [("Mixed_Case".to_owned(), "a=b".to_owned())];
    let call = Call {
        subject: "calc.add",
        payload: Bytes::copy_from_slice(payload),
        environment: &environment,
        limits,
        host: Some(Arc::new(Mirror)),
    };
    let tokio = tokio::runtime::Builder::new_current_thread();
    let tokio = { tokio }.enable_all().build().unwrap();
    tokio.block_on(function.run(call))
}

fn answer(body: &str) -> Result<Bytes, RunError> {
    call(&function(body), b"", Limits::default()).answer
}

#[test]
fn the_answer_is_everything_written_in_order() {
    let echo = function(ECHO);
    let payload = b"the quick brown fox jumps over the lazy dog";
    for _ in 0..3 {
        let report = call(&echo, payload, Limits::default());
        assert_eq!(report.answer.unwrap(), &payload[..]);
        assert!(report.took > Duration::ZERO);
    }
}

#[test]
fn the_subject_is_the_first_argument_and_the_environment_is_verbatim() {
    let written = answer(
        r#"(func (export "_start")
             (drop (call $args (i32.const 16) (i32.const 64)))
             (call $say (i32.const 1) (i32.const 64) (i32.const 21))
             (drop (call $env (i32.const 16) (i32.const 64)))
             (call $say (i32.const 1) (i32.const 64) (i32.const 15)))"#,
    );
    assert_eq!(
        written.unwrap(),
        &b"nexfunction\0calc.add\0Mixed_Case=a=b\0"[..]
    );
}

#[test]
fn every_call_begins_with_clean_memory() {
    let counter = function(
        r#"(func (export "_start")
             (i32.store8 (i32.const 4096) (i32.add (i32.load8_u (i32.const 4096)) (i32.const 65)))
             (call $say (i32.const 1) (i32.const 4096) (i32.const 1)))"#,
    );
    for _ in 0..20 {
        let report = call(&counter, b"", Limits::default());
        assert_eq!(report.answer.unwrap(), &b"A"[..]);
    }
}

#[test]
fn a_loop_without_end_is_stopped_in_time() {
    let limits = Limits {
        time: Duration::from_millis(100),
        ..Limits::default()
    };
    let check = |body: &str| {
        let began = Instant::now();
        let report = call(&function(body), b"", limits);
        assert_eq!(report.answer, Err(RunError::TimedOut(limits.time)));
        assert!(report.took >= limits.time);
        assert!(began.elapsed() < Duration::from_secs(5));
    };
    check(r#"(func (export "_start") (loop $again (br $again)))"#);
    check(SLEEP);
    check(r#"(func $spin (loop $again (br $again))) (start $spin) (func (export "_start"))"#);
}

#[test]
fn memory_past_the_limit_is_refused() {
    let limits = Limits {
        memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let grow = r#"(data (i32.const 64) "small")
        (func (export "_start")
          (if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then FAIL)
            (else (call $say (i32.const 1) (i32.const 64) (i32.const 5)))))"#;
    let check = |fail: &str, expected: Result<Bytes, RunError>| {
        let function = function(&grow.replace("FAIL", fail));
        assert_eq!(call(&function, b"", limits).answer, expected);
    };
    check("unreachable", Err(RunError::OutOfMemory(1 << 20)));
    check(
        "(call $exit (i32.const 1))",
        Err(RunError::OutOfMemory(1 << 20)),
    );
    let coping = "(call $say (i32.const 1) (i32.const 64) (i32.const 3))";
    check(coping, Ok(Bytes::from_static(b"sma")));

    let huge = r#"(module (memory 64) (func (export "_start")))"#;
    let huge = runtime().compile(&wat::parse_str(huge).unwrap()).unwrap();
    assert_eq!(
        call(&huge, b"", limits).answer,
        Err(RunError::OutOfMemory(1 << 20))
    );
}

#[test]
fn an_early_end_is_told_apart() {
    let exit = |code: i32| format!(r#"(func (export "_start") (call $exit (i32.const {code})))"#);
    assert_eq!(answer(&exit(3)), Err(RunError::Exited(3)));
    assert_eq!(answer(&exit(0)), Err(RunError::Empty));
    assert_eq!(answer(r#"(func (export "_start"))"#), Err(RunError::Empty));
    let trapped = |body: &str, text: &str| match answer(body) {
        Err(RunError::Trapped(cause)) => assert!(cause.contains(text), "{cause}"),
        other => panic!("{other:?}"),
    };
    trapped(r#"(func (export "_start") unreachable)"#, "unreachable");
    trapped(
        r#"(func $deep (export "_start") (call $deep))"#,
        "stack exhausted",
    );
}

#[test]
fn output_before_a_good_exit_counts() {
    let body = r#"(data (i32.const 64) "bye")
        (func (export "_start")
          (call $say (i32.const 1) (i32.const 64) (i32.const 3))
          (call $exit (i32.const 0)))"#;
    assert_eq!(answer(body).unwrap(), &b"bye"[..]);
}

#[test]
fn output_and_log_are_bounded() {
    let stdout = answer(&FLOOD.replace("FD", "1"));
    assert_eq!(stdout, Err(RunError::TooMuchOutput(1 << 20)));
    let report = call(&function(&FLOOD.replace("FD", "2")), b"", Limits::default());
    assert_eq!(report.answer.unwrap(), &b"ok"[..]);
    assert_eq!(report.log.len(), 32 << 10);
}

#[test]
fn what_is_no_command_does_not_compile() {
    let check = |bytes: &[u8], text: &str| match runtime().compile(bytes) {
        Ok(_) => panic!("compiled"),
        Err(CompileError { .. }) if text.is_empty() => {}
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("failed to compile module: "), "{said}");
            assert!(said.contains(text), "{said}");
        }
    };
    let module = |text: &str| wat::parse_str(text).unwrap();
    check(b"", "");
    check(b"\x7fELF and more", "magic");
    check(&module(r#"(module (func (export "_start")))"#)[..12], "");
    check(&module("(module)"), "no function _start");
    check(
        &module(r#"(module (func (export "_start") (param i32)))"#),
        "parameters",
    );
    check(
        &module(r#"(module (import "env" "steal" (func)) (func (export "_start")))"#),
        "steal",
    );
    check(
        &module(r#"(module (memory 65536) (func (export "_start")))"#),
        "memory",
    );
}

#[test]
fn more_calls_than_places_wait_for_their_turn() {
    let options = RuntimeOptions {
        concurrency: 1,
        ..RuntimeOptions::default()
    };
    let module = wat::parse_str(format!("(module {PRELUDE} {SLEEP})")).unwrap();
    let function = Runtime::new(options).unwrap().compile(&module).unwrap();
    let sleep = |ms| Call {
        subject: "s",
        payload: Bytes::new(),
        environment: &[],
        limits: Limits {
            time: Duration::from_millis(ms),
            ..Limits::default()
        },
        host: None,
    };
    let tokio = tokio::runtime::Builder::new_current_thread();
    let tokio = { tokio }.enable_all().build().unwrap();
    let (first, second) =
        tokio.block_on(async { tokio::join!(function.run(sleep(50)), function.run(sleep(60))) });
    assert_eq!(
        first.answer,
        Err(RunError::TimedOut(Duration::from_millis(50)))
    );
    assert_eq!(
        second.answer,
        Err(RunError::TimedOut(Duration::from_millis(60)))
    );
}

#[test]
fn a_host_is_asked_and_its_answers_are_read_piece_by_piece() {
    // Reads the first answer in two pieces, then the second.
    let function = asking(
        r#"(func (export "_start")
             (if (i32.ne (i32.const 2) (call $ask (i32.const 600) (i32.const 2) (i32.const 604)
                 (i32.const 3) (i32.const 616) (i32.const 3) (i32.const 0) (i32.const 5)))
               (then unreachable))
             (if (i32.ne (i32.const 12) (call $len (i32.const 0))) (then unreachable))
             (if (i32.ne (i32.const -1) (call $len (i32.const 2))) (then unreachable))
             (drop (call $answer (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 7)))
             (call $say (i32.const 1) (i32.const 64)
               (call $answer (i32.const 0) (i32.const 7) (i32.const 71) (i32.const 99)))
             (call $say (i32.const 1) (i32.const 64) (i32.const 7))
             (call $say (i32.const 1) (i32.const 64)
               (call $answer (i32.const 1) (i32.const 0) (i32.const 64) (i32.const 99)))
             (if (i32.ne (i32.const 0)
                   (call $answer (i32.const 1) (i32.const 6) (i32.const 64) (i32.const 99)))
               (then unreachable))
             (if (i32.ne (i32.const -1)
                   (call $answer (i32.const 2) (i32.const 0) (i32.const 64) (i32.const 99)))
               (then unreachable)))"#,
    );
    let report = call(&function, b"", Limits::default());
    // "kv.get key 5": its rest as long as its first piece was said, then that piece.
    assert_eq!(report.answer.unwrap(), &b"kv.gekv.get second"[..]);
}

/// Asks with these addresses and lengths, and says the only answer.
fn asked(method: (u32, u32), name: (u32, u32), body: (u32, u32)) -> Result<Bytes, RunError> {
    let [(m, ml), (n, nl), (b, bl)] = [method, name, body];
    let function = asking(&format!(
        r#"(func (export "_start")
             (if (i32.ne (i32.const -1) (call $ask (i32.const 600) (i32.const 2)
                 (i32.const {m}) (i32.const {ml}) (i32.const {n}) (i32.const {nl})
                 (i32.const {b}) (i32.const {bl})))
               (then unreachable))
             (call $say (i32.const 1) (i32.const 64)
               (call $answer (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 99))))"#
    ));
    call(&function, b"", Limits::default()).answer
}

#[test]
fn a_refusal_of_the_host_is_an_answer_and_memory_that_is_not_there_a_trap() {
    let check = |method, expected: &str| {
        assert_eq!(
            asked(method, (616, 3), (0, 0)).unwrap(),
            expected.as_bytes()
        );
    };
    check((608, 4), "not that");
    check((602, 2), "invalid rpc request");
    let trapped = |answer: Result<Bytes, RunError>| {
        assert!(matches!(answer, Err(RunError::Trapped(_))), "{answer:?}");
    };
    trapped(asked((608, 4), (131_070, 3), (0, 0)));
    trapped(asked((608, 4), (616, 3), (4_294_967_295, 4_294_967_295)));
    trapped(asked((u32::MAX, 1), (616, 3), (0, 0)));
}
