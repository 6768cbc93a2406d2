//! JavaScript functions: answers, failures, limits, hosts.

use async_nats::{HeaderMap, Message};
use futures::StreamExt as _;
use hostler_wire::agent::{
    AgentDeployRequest, AgentLimits, AgentPhase, DeployResponse, ERROR_HEADER, RUNTIME_HEADER,
    TRIGGER_SUBJECT_HEADER, services,
};

use crate::bench::{Bench, SLOT};

/// What a payload is, is done: the text of a function of the bench.
const SCRIPT: &str = "(subject, payload) => eval(String.fromCharCode(...payload))";

fn request(bench: &Bench, source: &str) -> AgentDeployRequest {
    AgentDeployRequest {
        trigger_subjects: Some(vec!["calc.*".to_owned()]),
        limits: Some(AgentLimits {
            time_limit_ms: Some(1_000),
            ..AgentLimits::default()
        }),
        ..bench.request("v8", source.as_bytes(), &[])
    }
}

async fn bench(source: &str) -> Bench {
    let bench = Bench::new().await;
    let response = bench.deploy(&request(&bench, source)).await;
    assert_eq!(response, DeployResponse::accepted());
    bench
}

async fn trigger(bench: &Bench, payload: &str) -> Message {
    let mut headers = HeaderMap::new();
    headers.insert(TRIGGER_SUBJECT_HEADER, "calc.add");
    let payload = payload.as_bytes().to_vec();
    bench.ask("trigger", payload, headers).await
}

fn header(message: &Message, name: &str) -> Option<String> {
    Some(message.headers.as_ref()?.get(name)?.to_string())
}

fn failure(message: &Message) -> String {
    assert!(message.payload.is_empty(), "{message:?}");
    header(message, ERROR_HEADER).expect("an error")
}

#[tokio::test]
async fn a_trigger_is_answered_with_the_json_of_what_is_returned() {
    let bench = bench(SCRIPT).await;
    for _ in 0..3 {
        let answer = trigger(
            &bench,
            "console.log('seen'); ({ subject, n: payload.length })",
        )
        .await;
        assert_eq!(answer.payload, r#"{"subject":"calc.add","n":53}"#);
        let runtime = header(&answer, RUNTIME_HEADER).unwrap();
        assert!(runtime.parse::<u64>().unwrap() > 0);
        assert_eq!(header(&answer, ERROR_HEADER), None);
    }
    bench
        .until("its log", || {
            (bench.written(4) == "seenseenseen").then_some(())
        })
        .await;
    let state = bench.state().await;
    let seen = (state.state, state.starts, state.calls);
    assert_eq!(seen, (AgentPhase::Running, 1, 3));
}

#[tokio::test]
async fn a_failing_call_is_answered_at_once_and_says_why() {
    let bench = bench(SCRIPT).await;
    let answer = trigger(&bench, "throw new TypeError('no')").await;
    assert_eq!(failure(&answer), "the function threw TypeError: no");
    let answer = trigger(&bench, "for (;;) {}").await;
    assert_eq!(failure(&answer), "the function ran longer than 1s");
    let answer = trigger(&bench, "const a = []; for (;;) a.push(new Uint8Array(1e6))").await;
    assert!(failure(&answer).contains("bytes of memory"));
    let answer = trigger(&bench, "'x'.repeat(2e6)").await;
    assert!(failure(&answer).starts_with("the function answered more than"));
    let answer = trigger(&bench, "const f = () => f() + 1; f()").await;
    assert!(failure(&answer).contains("RangeError"));
    assert_eq!(
        trigger(&bench, "globalThis.x = (globalThis.x ?? 0) + 1")
            .await
            .payload,
        "1"
    );
    assert_eq!(
        trigger(&bench, "globalThis.x = (globalThis.x ?? 0) + 1")
            .await
            .payload,
        "1"
    );
    bench
        .until("the trace", || {
            bench
                .written(2)
                .contains("Uncaught TypeError: no")
                .then_some(())
        })
        .await;
}

#[tokio::test]
async fn endless_scripts_hold_nothing_else_up() {
    let bench = bench(SCRIPT).await;
    // Quick until now, so that the next is begun on the link's thread.
    assert_eq!(trigger(&bench, "1").await.payload, "1");
    let busy = async { tokio::join!(trigger(&bench, "for(;;);"), trigger(&bench, "for(;;);")) };
    let (one, other) = bench.answers_during(busy).await;
    assert!(failure(&one).contains("longer") && failure(&other).contains("longer"));
}

#[tokio::test]
async fn a_call_that_nothing_can_interrupt_ends_the_agent() {
    let mut bench = bench(SCRIPT).await;
    let subject = format!("agentint.{SLOT}.trigger");
    let stuck = "[].reverse.call({ length: 2 ** 53 - 1 })";
    bench.node.publish(subject, stuck.into()).await.unwrap();
    assert_eq!(bench.agent_ended().await.code(), Some(70));
    assert!(bench.agent_log().contains("a call does not end"));
}

#[tokio::test]
async fn what_gives_no_function_is_refused_with_the_reason() {
    let check = async |source: &str, expected: &str| {
        let bench = Bench::new().await;
        let response = bench.deploy(&request(&bench, source)).await;
        let message = response.message.unwrap();
        let expected = format!("Failed to validate workload: {expected}");
        assert!(message.starts_with(&expected), "{message}");
        assert_eq!(bench.state().await.code, Some(-1));
    };
    check("1 +", "failed to compile source for execution: SyntaxError").await;
    check("'text'", "the source does not evaluate to a function").await;
    check("throw 'no'", "the source does not evaluate to a function").await;
    check("for (;;) {}", "the source does not evaluate to a function").await;
    let large = format!("() => 1 //{}", "x".repeat(5 << 20));
    check(&large, "source file (5242890 bytes) exceeds maximum of").await;
}

/// Answers the calls of host services as a node does.
pub(crate) async fn serve(bench: &Bench) {
    let mut asked = bench
        .node
        .subscribe(format!("agentint.{SLOT}.rpc.>"))
        .await
        .unwrap();
    bench.node.flush().await.unwrap();
    let node = bench.node.clone();
    tokio::spawn(async move {
        while let Some(call) = asked.next().await {
            let end = |value: &str, error: Option<&str>| {
                let mut headers = HeaderMap::new();
                headers.insert(services::END_HEADER, value);
                error.inspect(|text| headers.insert(ERROR_HEADER, *text));
                headers
            };
            let reply = call.reply.clone().unwrap();
            let (headers, body) = match call.subject.rsplit('.').next().unwrap() {
                "get" => (
                    end("1", None),
                    header(&call, services::KEY_HEADER).unwrap().into(),
                ),
                "set" => (end("1", None), call.payload),
                "requestMany" => {
                    node.publish(reply.clone(), "a".into()).await.unwrap();
                    node.publish(reply.clone(), "b".into()).await.unwrap();
                    (end("0", None), "".into())
                }
                "keys" => (
                    end("1", Some("it is away")),
                    r#"{"error":"it is away"}"#.into(),
                ),
                _ => continue,
            };
            node.publish_with_headers(reply, headers, body)
                .await
                .unwrap();
        }
    });
}

#[tokio::test]
async fn row_6_8_host_services_are_asked_of_the_node() {
    let bench = bench(SCRIPT).await;
    serve(&bench).await;
    let check = async |call: &str, expected: &str| {
        let source = format!("try {{ hostServices.{call} }} catch (e) {{ [typeof e, e] }}");
        assert_eq!(trigger(&bench, &source).await.payload, expected, "{call}");
    };
    check("kv.get('key').length", "3").await;
    check("messaging.requestMany('s', new Uint8Array(1)).length", "2").await;
    check("kv.keys()", r#"["string","it is away"]"#).await;
    check(
        "kv.get('a\\r\\nx: y')",
        r#"["string","'a\\r\\nx: y' is not allowed"]"#,
    )
    .await;
    check(
        "objectStore.list()",
        r#"["string","objectstore.list: nats: timeout"]"#,
    )
    .await;
    // Quick calls that begin to ask are begun anew, and ask once.
    for _ in 0..5 {
        assert_eq!(trigger(&bench, "1").await.payload, "1");
        check("kv.get('key')[0]", "107").await;
    }
    let asked = bench.order();
    let gets = asked
        .iter()
        .filter(|one| *one == "rpc.default.probe.kv.get")
        .count();
    assert_eq!(gets, 6, "{asked:?}");
}
