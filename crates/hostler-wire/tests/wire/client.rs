//! The clients against a socket that says what it is told to.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use futures::StreamExt as _;
use hostler_core::id::{NodeId, WorkloadId};
use hostler_wire::client::{ClientError, ControlClient, NodeClient, StatusCode, Transport};
use hostler_wire::node_api::{Ensure, Heartbeat};
use hostler_wire::rest::{WorkloadCreate, WorkloadQuery};

const PATIENCE: Duration = Duration::from_secs(10);

/// Answers one request and remembers it.
struct Peer {
    url: String,
    asked: JoinHandle<String>,
}

impl Peer {
    fn answering(status: &str, kind: &str, body: &str) -> Self {
        let length = body.len();
        Self::saying(format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        ))
    }

    fn saying(answer: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let asked = read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            asked
        });
        Self { url, asked }
    }

    fn control(&self) -> ControlClient {
        ControlClient::new(&self.url, "s3cret").unwrap()
    }

    fn asked(self) -> String {
        self.asked.join().unwrap()
    }
}

/// The head, and as many bytes after it as the head says.
fn read_request(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let read = stream.read(&mut piece).unwrap();
        text.extend_from_slice(&piece[..read]);
        let so_far = String::from_utf8_lossy(&text).to_lowercase();
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return String::from_utf8(text).unwrap();
            }
        }
        assert!(read > 0, "the client left: {so_far}");
    }
}

fn workload() -> WorkloadId {
    WorkloadId::from_parts(1, [1; 10])
}

#[tokio::test]
async fn nobody_there_is_told_with_address_and_cause() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = ControlClient::new(&url, "t")
        .unwrap()
        .health()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ClientError::Transport(Transport::Connect { .. })),
        "{error:?}"
    );
    let text = error.to_string().to_lowercase();
    assert!(
        text.starts_with(&format!("cannot reach {url}/health: connection refused")),
        "{text}"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_given_up_at_the_deadline() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let node = NodeClient::new(&url, "k").unwrap();
    let error = node.host_info(Duration::from_millis(20)).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Transport(Transport::Timeout { .. })),
        "{error:?}"
    );
    drop(listener);
}

#[tokio::test]
async fn a_refusal_carries_the_words_of_the_other_side() {
    let body = r#"{"error":"there is no workload x","code":"not_found","hint":"look again"}"#;
    let peer = Peer::answering("404 Not Found", "application/json", body);
    let error = peer.control().workload(workload()).await.unwrap_err();
    assert!(error.is_not_found() && !error.is_transient());
    assert_eq!(error.hint(), Some("look again"));
    assert_eq!(
        error.to_string(),
        "there is no workload x (404 Not Found); look again"
    );
}

#[tokio::test]
async fn a_refusal_without_our_envelope_is_one_as_well() {
    let peer = Peer::answering("502 Bad Gateway", "text/html", "<h1>upstream</h1>\n<p>");
    let error = peer.control().nodes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY));
    assert_eq!(error.body().unwrap().error, "<h1>upstream</h1>");
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_answer_of_another_shape_is_unreadable() {
    let peer = Peer::answering("200 OK", "application/json", r#"{"ready":"yes"}"#);
    let error = peer.control().ready().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_service_that_is_not_ready_answers_too() {
    let body = r#"{"ready":false,"checks":[{"name":"store","ok":false}]}"#;
    let peer = Peer::answering("503 Service Unavailable", "application/json", body);
    assert!(!peer.control().ready().await.unwrap().ready);
}

#[tokio::test]
async fn a_create_carries_bearer_key_and_body() {
    let peer = Peer::answering("409 Conflict", "application/json", "{}");
    let body: WorkloadCreate =
        serde_json::from_str(r#"{"name":"echo","kind":"elf","artifact":"d"}"#).unwrap();
    let error = peer
        .control()
        .workload_create(&body, "key-1")
        .await
        .unwrap_err();
    assert!(error.is_conflict());
    let asked = peer.asked();
    assert!(asked.starts_with("POST /workloads HTTP/1.1\r\n"), "{asked}");
    for part in [
        "authorization: Bearer s3cret",
        "idempotency-key: key-1",
        r#""name":"echo""#,
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
}

#[tokio::test]
async fn a_query_is_in_the_url_and_only_what_is_asked() {
    let peer = Peer::answering("200 OK", "application/json", r#"{"items":[]}"#);
    let query = WorkloadQuery {
        project: Some("a b".into()),
        slave_id: Some(NodeId::from_parts(1, [0; 10])),
        ..WorkloadQuery::default()
    };
    assert!(
        peer.control()
            .workloads(&query)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let asked = peer.asked();
    let expected = "GET /workloads?project=a+b&slave_id=00000000-0001-7000-8000-000000000000 HTTP";
    assert!(asked.starts_with(expected), "{asked}");
}

#[tokio::test]
async fn a_heartbeat_carries_the_nodes_key_and_not_the_bearer() {
    let peer = Peer::answering("200 OK", "application/json", r#"{"heartbeat_ms":5}"#);
    let reply = peer
        .control()
        .heartbeat("node-key", &Heartbeat::default())
        .await
        .unwrap();
    assert_eq!(reply.heartbeat_ms, 5);
    let asked = peer.asked();
    assert!(
        asked.contains("x-slave-token: node-key") && !asked.contains("s3cret"),
        "{asked}"
    );
}

#[tokio::test]
async fn a_node_that_leaves_is_gone_or_gives_its_work_away_first() {
    let node = NodeId::from_parts(1, [0; 10]);
    let gone = Peer::saying("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".into());
    assert_eq!(gone.control().node_remove(node).await.unwrap(), None);
    let operation = format!(
        r#"{{"id":"{}","kind":"node.remove","subject":"{node}","state":"waiting","steps_done":[],
            "progress":"","cancel_asked":false,"created_at":"2024-04-26T20:46:01Z"}}"#,
        workload()
    );
    let busy = Peer::answering("202 Accepted", "application/json", &operation);
    let operation = busy.control().node_remove(node).await.unwrap().unwrap();
    assert_eq!(operation.kind, "node.remove");
}

#[tokio::test]
async fn artifacts_of_all_projects_are_asked_for_without_a_project() {
    let peer = Peer::answering("200 OK", "application/json", "[]");
    assert!(peer.control().artifacts(None).await.unwrap().is_empty());
    let asked = peer.asked();
    assert!(!asked.contains("project"), "{asked}");
}

#[tokio::test]
async fn an_order_to_a_node_is_a_put_with_its_key() {
    let entry = format!(
        r#"{{"id":"{}","generation":3,"state":"absent"}}"#,
        workload()
    );
    let peer = Peer::answering("200 OK", "application/json", &entry);
    let node = NodeClient::new(&peer.url, "node-key").unwrap();
    let ensure: Ensure = serde_json::from_str(r#"{"generation":3,"goal":"gone"}"#).unwrap();
    let entry = node.ensure(workload(), &ensure, PATIENCE).await.unwrap();
    assert_eq!(entry.id, workload());
    let asked = peer.asked();
    assert!(
        asked.starts_with(&format!("PUT /workloads/{} HTTP", workload())),
        "{asked}"
    );
    assert!(asked.contains("x-slave-token: node-key"), "{asked}");
}

#[tokio::test]
async fn followed_logs_come_line_by_line_until_the_stream_ends() {
    let line = |text: &str| {
        let at = "2024-04-26T20:46:01Z";
        format!(
            "data: {{\"at\":\"{at}\",\"level\":\"INFO\",\"slot\":\"s\",\"text\":\"{text}\"}}\n\n"
        )
    };
    let events = format!(": hello\n\n{}{}", line("one"), line("two"));
    let peer = Peer::answering("200 OK", "text/event-stream", &events);
    let lines = peer
        .control()
        .workload_logs_follow(workload(), 10)
        .await
        .unwrap();
    let texts: Vec<String> = lines.map(|line| line.unwrap().text).collect().await;
    assert_eq!(texts, ["one", "two"]);
    let asked = peer.asked();
    assert!(asked.contains("/logs?tail=10&follow=1 HTTP"), "{asked}");
    assert!(asked.contains("accept: text/event-stream"), "{asked}");
}

#[tokio::test]
async fn an_event_that_holds_something_else_ends_in_an_error() {
    let peer = Peer::answering("200 OK", "text/event-stream", "data: {}\n\n");
    let query = hostler_wire::rest::ActivityQuery::default();
    let mut entries = peer.control().activity_live(&query).await.unwrap();
    let error = entries.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Events { .. }), "{error:?}");
}

#[tokio::test]
async fn an_artifact_goes_up_as_bytes_and_comes_down_as_bytes() {
    let artifact = r#"{"digest":"d","kind":"wasm","size":3,"project":"default",
        "created_at":"2024-04-26T20:46:01Z"}"#;
    let peer = Peer::answering("201 Created", "application/json", artifact);
    let bytes = "abc".into();
    let made = peer
        .control()
        .artifact_put("d", "default", bytes)
        .await
        .unwrap();
    assert_eq!(made.size, 3);
    let asked = peer.asked();
    assert!(
        asked.starts_with("PUT /artifacts/d?project=default HTTP"),
        "{asked}"
    );
    assert!(asked.ends_with("\r\n\r\nabc"), "{asked}");
    let peer = Peer::answering("200 OK", "application/octet-stream", "abc");
    let pieces = peer
        .control()
        .artifact_content("d/../e", "default")
        .await
        .unwrap();
    let pieces: Vec<_> = pieces.map(|piece| piece.unwrap()).collect().await;
    assert_eq!(pieces.concat(), b"abc");
    assert!(
        peer.asked()
            .starts_with("GET /artifacts/d%2F..%2Fe/content?project=default HTTP")
    );
}

#[test]
fn an_address_must_be_one() {
    for bad in ["", "localhost:3010", "ftp://a", "http://", "nats://a:1"] {
        let error = ControlClient::new(bad, "t").unwrap_err();
        assert!(matches!(error, ClientError::Address(_)), "{bad}: {error:?}");
    }
    let client = ControlClient::new("https://fleet.example:3010/", "t").unwrap();
    assert_eq!(client.base(), "https://fleet.example:3010");
    assert!(!format!("{client:?}").contains("bearer"));
}
