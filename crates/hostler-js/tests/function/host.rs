//! What functions ask of their host, row 6 of protocol 6.8.

use std::sync::{Arc, Mutex};

use super::*;
use hostler_js::{Ask, Host, HostError};

/// A host that records what it is asked, and answers with what it is given.
struct Recorder {
    asked: Mutex<Vec<Ask>>,
    answers: Result<Vec<Bytes>, HostError>,
}

impl Host for Recorder {
    fn ask(&self, ask: Ask) -> Result<Vec<Bytes>, HostError> {
        self.asked.lock().unwrap().push(ask);
        self.answers.clone()
    }
}

fn ask(
    source: &str,
    answers: Result<Vec<&'static [u8]>, &str>,
) -> (Result<String, RunError>, Vec<String>) {
    let answers = answers.map(|all| all.into_iter().map(Bytes::from_static).collect());
    let recorder = Arc::new(Recorder {
        asked: Mutex::default(),
        answers: answers.map_err(|text| HostError(text.to_owned())),
    });
    let host: Arc<dyn Host> = Arc::<Recorder>::clone(&recorder);
    let call = Call {
        host: Some(host),
        ..call(limits())
    };
    let report = compile(source).expect("a script").run(&call).unwrap();
    let answer = report
        .answer
        .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    let asked = recorder.asked.lock().unwrap();
    let asked = asked.iter().map(|ask| {
        let name = ask.name.as_deref().unwrap_or("-");
        format!("{}.{} {name} {:?}", ask.service, ask.method, &ask.body[..])
    });
    (answer, asked.collect())
}

/// Calls one of the services; what it gives, and what the host was asked.
fn check_service(call: &str, reply: &'static [u8], asked: &str, expected: &str) {
    let source = format!("() => hostServices.{call}");
    let (answer, all) = ask(&source, Ok(vec![reply]));
    let seen = (answer.as_deref(), all);
    assert_eq!(seen, (Ok(expected), vec![asked.to_owned()]), "{source}");
}

#[test]
fn row_6_http_asks_the_host() {
    let http: &[u8] = br#"{"status":201,"headers":{"A":["1","2"]},"body":"hi"}"#;
    let shown = r#"{"status":201,"headers":{"A":"1, 2"},"response":"hi"}"#;
    check_service("http.get('u')", http, "http.get u []", shown);
    check_service("http.delete('u')", http, "http.delete u []", shown);
    let head = r#"{"status":201,"headers":{"A":"1, 2"}}"#;
    check_service("http.head('u')", http, "http.head u []", head);
    for method in ["post", "put", "patch"] {
        let call = format!("http.{method}('u', new Uint8Array([1,128,255]))");
        check_service(
            &call,
            http,
            &format!("http.{method} u [1, 128, 255]"),
            shown,
        );
    }
}

#[test]
fn row_6_the_stores_ask_the_host() {
    let check = check_service;
    check("kv.get('k').length", b"\x80\xff", "kv.get k []", "2");
    check(
        "kv.set('k', new Uint8Array([1,128,255]))",
        b"{}",
        "kv.set k [1, 128, 255]",
        "undefined",
    );
    check("kv.delete('k')", b"{}", "kv.delete k []", "undefined");
    check("kv.keys()", br#"["a"]"#, "kv.keys - []", r#"["a"]"#);
    check(
        "objectStore.get('o')[0]",
        b"\xc3",
        "objectstore.get o []",
        "195",
    );
    let put = "objectStore.put('o', new Uint8Array([7])).size";
    check(put, br#"{"size":1}"#, "objectstore.put o [7]", "1");
    check(
        "objectStore.delete('o')",
        b"{}",
        "objectstore.delete o []",
        "undefined",
    );
    check("objectStore.list()", b"[]", "objectstore.list - []", "[]");
}

#[test]
fn row_6_messaging_asks_the_host() {
    let check = check_service;
    let body = "new Uint8Array([7])";
    check(
        &format!("messaging.publish('s', {body})"),
        b"{}",
        "messaging.publish s [7]",
        "undefined",
    );
    check(
        &format!("messaging.request('s', {body})[0]"),
        b"\xc3",
        "messaging.request s [7]",
        "195",
    );
    let many =
        format!("() => hostServices.messaging.requestMany('s', {body}).map((one) => one[0])");
    assert_eq!(ask(&many, Ok(vec![b"a", b"b"])).0.as_deref(), Ok("[97,98]"));
    let this = ask("() => this.hostServices === hostServices", Ok(vec![]));
    assert_eq!(this.0.as_deref(), Ok("true"));
}

#[test]
fn row_6_what_fails_throws_a_text_and_ends_no_more_than_the_call() {
    let check = |call: &str, expected: &str| {
        let source = format!(
            "() => {{ try {{ hostServices.{call} }} catch (e) {{ return [typeof e, e] }} }}"
        );
        let (answer, _) = ask(&source, Err("it is away"));
        assert_eq!(
            answer.as_deref(),
            Ok(format!("[\"string\",\"{expected}\"]").as_str()),
            "{call}"
        );
    };
    check("kv.get('k')", "it is away");
    check("kv.set('k', new Uint8Array(1))", "it is away");
    check("kv.get()", "key is required");
    check("kv.set('k')", "key and value are required");
    check("http.get()", "url is required");
    check(
        "messaging.publish('', new Uint8Array(1))",
        "subject is required",
    );
    check("objectStore.get()", "name is required");
    let kinds = "failed to marshal v8 value to []byte: it is string; only Uint8[] is supported";
    check("kv.set('k', 'text')", kinds);
    assert_eq!(
        ask("() => hostServices.kv.keys()", Err("gone")).0,
        Err(RunError::Threw("gone".into()))
    );
    // An answer that is no answer.
    let (answer, _) = ask("() => hostServices.kv.keys()", Ok(vec![b"not json"]));
    assert!(matches!(answer, Err(RunError::Threw(_))), "{answer:?}");
    let (answer, _) = ask("() => hostServices.kv.keys()", Ok(vec![]));
    assert!(matches!(answer, Err(RunError::Threw(_))), "{answer:?}");
}

#[test]
fn a_brief_call_that_takes_long_or_asks_its_host_is_begun_anew() {
    let recorder = Arc::new(Recorder {
        asked: Mutex::default(),
        answers: Ok(vec![]),
    });
    let check = |source: &str, is_done: bool| {
        let host: Arc<dyn Host> = Arc::<Recorder>::clone(&recorder);
        let brief = Some(Duration::from_millis(30));
        let call = Call {
            brief,
            host: Some(host),
            ..call(limits())
        };
        let report = compile(source).unwrap().run(&call);
        assert_eq!(report.is_some(), is_done, "{source}");
    };
    check("() => 1", true);
    check("() => { for (;;) {} }", false);
    check("() => hostServices.kv.keys()", false);
    check(
        "() => { try { hostServices.kv.keys() } catch {} return 1 }",
        false,
    );
    check("hostServices.kv.keys(); () => 1", false);
    assert!(
        recorder.asked.lock().unwrap().is_empty(),
        "nobody was asked"
    );
}
