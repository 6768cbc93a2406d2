//! Scripts as a function's calls see them; the rows of protocol 6.8 by name.

// Helpers of tests may fail like the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod host;

use std::time::{Duration, Instant};

use bytes::Bytes;
use hostler_js::{Call, CompileError, Level, Limits, Report, RunError, Script};

fn limits() -> Limits {
    Limits {
        time: Duration::from_secs(20),
        memory_bytes: 16 << 20,
        output_bytes: 100_000,
    }
}

fn compile(source: &str) -> Result<Script, CompileError> {
    Script::compile(source.as_bytes(), limits())
}

fn call(limits: Limits) -> Call<'static> {
    Call {
        subject: "calc.add",
        payload: b"one\x80\xff",
        limits,
        host: None,
        brief: None,
    }
}

fn run_within(source: &str, limits: Limits) -> Report {
    compile(source)
        .expect("a script")
        .run(&call(limits))
        .expect("a report")
}

fn answer(source: &str) -> Result<String, RunError> {
    let answer = run_within(source, limits()).answer;
    answer.map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"))
}

fn check(source: &str, expected: &str) {
    assert_eq!(answer(source).as_deref(), Ok(expected), "{source}");
}

#[test]
fn row_1_a_file_evaluates_as_a_classic_script_to_a_function() {
    check("(subject, payload) => 1", "1");
    check("'a directive'; var f = function () { return 2 }; f", "2");
    check("undeclared = 3; (s) => undeclared", "3");
    check("// only a comment before\n(s, p) => { return 4; }\n", "4");
    let refused = |source: &str, expected: &str| {
        let text = compile(source).expect_err(source).to_string();
        assert!(text.contains(expected), "{source}: {text}");
    };
    refused(
        "export default () => 1",
        "failed to compile source for execution: SyntaxError",
    );
    refused(
        "import x from 'y'; () => 1",
        "failed to compile source for execution: SyntaxError",
    );
    refused("1 +", "failed to compile source for execution: SyntaxError");
    refused("41 + 1", "evaluates to int, not to a function");
    refused(
        "function f() {}",
        "evaluates to undefined, not to a function",
    );
    refused(
        "throw new TypeError('no')",
        "the function threw TypeError: no",
    );
    let time = Duration::from_millis(100);
    let endless = Script::compile(b"while (true) {}", Limits { time, ..limits() });
    let expected = CompileError::NotAFunction(RunError::TimedOut(time));
    assert_eq!(endless.map(drop), Err(expected));
}

#[test]
fn row_2_each_call_is_given_subject_and_payload_in_a_context_of_its_own() {
    check(
        "(subject, payload) => [subject, payload instanceof Uint8Array, [...payload]]",
        r#"["calc.add",true,[111,110,101,128,255]]"#,
    );
    let script = compile(
        "globalThis.count = (globalThis.count ?? 0) + 1;
         (s) => { Array.prototype.stolen = (Array.prototype.stolen ?? 0) + 1;
                  return [count++, Array.prototype.stolen]; }",
    )
    .unwrap();
    for _ in 0..3 {
        let report = script.run(&call(limits())).unwrap();
        assert_eq!(report.answer.unwrap(), "[1,1]");
    }
}

#[test]
fn row_3_the_answer_is_the_json_of_what_is_returned() {
    check("() => undefined", "undefined");
    check("() => {}", "undefined");
    check("() => () => 1", "undefined");
    check("() => null", "null");
    check("() => 'a\"ü\u{2028}'", "\"a\\\"ü\u{2028}\"");
    check("() => '\\ud800'", r#""\ud800""#);
    check("() => NaN", "null");
    check("() => new Uint8Array([98, 200])", r#"{"0":98,"1":200}"#);
    check(
        "() => ({ b: 1, a: new Date(0) })",
        r#"{"b":1,"a":"1970-01-01T00:00:00.000Z"}"#,
    );
    check("() => { JSON.stringify = () => 'mine'; return 1 }", "1");
    check(
        "() => { Promise.resolve().then(() => { throw 2 }); return 1 }",
        "1",
    );
    check(
        "() => { Promise.resolve().then(() => 'x'.repeat(1e9)); return 1 }",
        "1",
    );
    let threw = |source: &str, expected: &str| {
        let error = answer(source).expect_err(source);
        assert_eq!(error, RunError::Threw(expected.to_owned()), "{source}");
    };
    threw(
        "() => 10n",
        "TypeError: BigInt are forbidden in JSON.stringify",
    );
    threw(
        "() => { const a = {}; a.a = a; return a }",
        "TypeError: circular reference",
    );
}

#[test]
fn row_3_ours_a_promise_is_waited_for_and_a_buffer_sent_as_its_bytes() {
    check("async () => 7", "7");
    check(
        "async () => { await null; await Promise.resolve(); return [1] }",
        "[1]",
    );
    check("() => Promise.all([1, Promise.resolve(2)])", "[1,2]");
    let raw = run_within("(s, payload) => payload.buffer", limits());
    assert_eq!(raw.answer.unwrap(), Bytes::from_static(b"one\x80\xff"));
    assert_eq!(
        answer("() => new Promise(() => {})"),
        Err(RunError::Unsettled)
    );
    assert_eq!(
        answer("async () => { throw 'late' }"),
        Err(RunError::Threw("late".into()))
    );
}

#[test]
fn row_4_what_is_thrown_is_said_and_goes_to_the_log() {
    let report = run_within("() => { null.x }", limits());
    let text = "TypeError: cannot read property 'x' of null";
    assert_eq!(report.answer, Err(RunError::Threw(text.into())));
    assert_eq!(report.lines[0].level, Level::Error);
    assert!(
        report.lines[0]
            .text
            .starts_with(&format!("Uncaught {text}\n"))
    );
    let threw = |source: &str, expected: &str| {
        assert_eq!(
            answer(source),
            Err(RunError::Threw(expected.into())),
            "{source}"
        );
    };
    threw("() => { throw 'a text' }", "a text");
    threw("() => { throw undefined }", "undefined");
    threw("() => { throw { toString() { throw 1 } } }", "object");
    threw("() => { throw Symbol() }", "symbol");
}

#[test]
fn row_4_the_time_limit_interrupts() {
    let check = |source: &str| {
        let script = compile(source).expect("a script");
        let time = Duration::from_millis(50);
        let began = Instant::now();
        let report = script.run(&call(Limits { time, ..limits() })).unwrap();
        assert_eq!(report.answer, Err(RunError::TimedOut(time)), "{source}");
        assert!(began.elapsed() < Duration::from_secs(10), "{source}");
    };
    check("() => { for (;;) {} }");
    check("() => { for (;;) { try { for (;;) {} } catch {} finally { for (;;) {} } } }");
    check("async () => { for (;;) await null }");
    check("async () => { for (;;) { try { await null; for (;;) {} } catch {} } }");
    check("() => /^(a+)+$/.test('a'.repeat(60) + 'b')");
    check("() => ({ toJSON() { for (;;) {} } })");
    check("() => { throw { toString() { for (;;) {} } } }");
    check("() => { [1, 2].sort(() => { for (;;) {} }) }");
}

#[test]
fn memory_is_limited() {
    let check = |source: &str| {
        let report = run_within(source, limits());
        let memory = limits().memory_bytes;
        let expected = [RunError::OutOfMemory(memory), RunError::ThrewNull(memory)];
        let error = report.answer.expect_err(source);
        assert!(expected.contains(&error), "{source}: {error}");
    };
    check("() => { const a = []; for (;;) a.push(new Uint8Array(100000)) }");
    check("() => new Uint8Array(1e9)");
    check("() => { let s = 'x'; for (;;) s = [s, s].join() }");
    check("() => { const a = []; for (;;) a.push({ a }) }");
    check("() => 'x'.repeat(5e8)");
    let huge = vec![0; 32 << 20];
    let script = compile("(s, p) => p.length").unwrap();
    let report = script
        .run(&Call {
            payload: &huge,
            ..call(limits())
        })
        .unwrap();
    assert_eq!(report.answer, Err(RunError::OutOfMemory(16 << 20)));
    check_again();
}

/// Nothing of a call that failed is left for the next.
fn check_again() {
    check("() => new Uint8Array(1e6).length", "1000000");
}

#[test]
fn deep_recursion_is_an_error_that_can_be_caught() {
    let source = "() => { const f = () => f() + 1; try { f() } catch (e) { return e.name } }";
    check(source, "\"RangeError\"");
    let deep = format!("() => {}1{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(compile(&deep).is_err());
    let error = answer("() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a }");
    assert!(error.is_err(), "{error:?}");
}

#[test]
fn the_answer_is_limited() {
    let limit = limits().output_bytes;
    check(
        &format!("() => 'x'.repeat({limit}).length"),
        &limit.to_string(),
    );
    assert_eq!(
        answer(&format!("() => 'x'.repeat({})", limit - 2))
            .unwrap()
            .len(),
        limit
    );
    for source in ["() => 'x'.repeat(99999)", "() => new ArrayBuffer(100001)"] {
        assert_eq!(
            answer(source),
            Err(RunError::TooMuchOutput(limit)),
            "{source}"
        );
    }
}

#[test]
fn row_5_the_console_writes_to_the_log() {
    let report = run_within(
        "() => { console.log('a', 1, { b: [2] }, null, undefined, new Error('e').message);
                 console.warn(Symbol('x')); console.error('bad'); console.debug(() => 1 ? 'd' : 0);
                 console = 3; return console }",
        limits(),
    );
    assert_eq!(report.answer.unwrap(), "3");
    let lines: Vec<_> = report
        .lines
        .iter()
        .map(|line| (line.level, line.text.as_str()))
        .collect();
    assert_eq!(lines[0], (Level::Info, "a 1 {\"b\":[2]} null undefined e"));
    assert_eq!(lines[1], (Level::Warn, "Symbol()"));
    assert_eq!(lines[2], (Level::Error, "bad"));
    assert_eq!(lines[3].0, Level::Debug);
    let flood = run_within(
        "() => { for (let i = 0; i < 1e5; i++) console.log('x'.repeat(99)) }",
        limits(),
    );
    let kept: usize = flood.lines.iter().map(|line| line.text.len()).sum();
    assert!(kept <= 32 << 10, "{kept}");
}

#[test]
fn row_5_there_is_nothing_else() {
    check(
        "() => ['setTimeout', 'TextDecoder', 'fetch', 'require', 'process', 'std', 'os', 'hostServices']
              .filter((name) => name in globalThis)",
        "[]",
    );
    let error = answer("() => import('./x.js')");
    assert!(matches!(error, Err(RunError::Threw(_))), "{error:?}");
    let error = answer("() => import('/etc/passwd')");
    assert!(matches!(error, Err(RunError::Threw(_))), "{error:?}");
}

#[test]
fn only_texts_of_a_bearable_length_are_compiled() {
    let compile = |source: &[u8]| Script::compile(source, limits()).map(drop);
    assert_eq!(compile(b"() => '\xff'"), Err(CompileError::NotText));
    let huge = vec![b' '; (4 << 20) + 1];
    assert_eq!(
        compile(&huge),
        Err(CompileError::TooLarge(huge.len(), 4 << 20))
    );
    let large = format!(
        "const table = {:?}; () => table.length",
        "x".repeat(1 << 20)
    );
    assert!(compile(large.as_bytes()).is_ok());
    assert!(compile(b"() => 1 // \0 and on").is_ok());
}
