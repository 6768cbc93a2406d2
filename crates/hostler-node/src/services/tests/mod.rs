//! Host services for real: a control NATS with JetStream, an HTTP server on
//! loopback, and agents' calls, friendly and not.

mod http;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions, HeaderMap};
use bytes::Bytes;
use futures::StreamExt as _;
use hostler_core::id::SlotId;
use hostler_core::services::AddressRules;
use hostler_wire::agent::services::{END_HEADER, name_header};
use hostler_wire::agent::{ERROR_HEADER, subject};
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Admitted, HttpOptions, MessagingOptions, ServiceOptions, Services, StoreOptions};
use crate::relay::Speaker;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server, the services of a node, and one function that has been admitted.
struct Ground {
    url: String,
    client: Client,
    services: Services,
    stop: CancellationToken,
    _admitted: Admitted,
    _server: Server,
    _folder: TempDir,
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The server's process, which ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn slot(number: u32) -> SlotId {
    SlotId::from_parts(number, [3; 8])
}

fn speaker(number: u32, namespace: &str, name: &str) -> Speaker {
    Speaker {
        namespace: namespace.into(),
        name: name.into(),
        slot: slot(number),
    }
}

/// Patient enough for a loaded machine; HTTP may reach this one.
fn options() -> ServiceOptions {
    let store = StoreOptions {
        patience: PATIENCE,
        ..StoreOptions::default()
    };
    ServiceOptions {
        kv: Some(store),
        objects: Some(store),
        messaging: Some(MessagingOptions {
            patience: PATIENCE,
            gather: PATIENCE,
            ..MessagingOptions::default()
        }),
        http: Some(HttpOptions {
            patience: PATIENCE,
            addresses: AddressRules {
                allow: vec!["127.0.0.1/32".parse().unwrap()],
                deny: Vec::new(),
            },
            body_bytes: 100_000,
            ..HttpOptions::default()
        }),
    }
}

async fn ground(options: ServiceOptions) -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = server(&folder).await;
    let client = async_nats::connect(&url).await.unwrap();
    let services = Services::new(options, client.clone());
    let stop = CancellationToken::new();
    let calls = client.subscribe(subject::RPC_ALL).await.unwrap();
    client.flush().await.unwrap();
    services.serve((client.clone(), calls), stop.clone());
    let admitted = services.admit(&speaker(1, "default", "echo"));
    Ground {
        url,
        client,
        services,
        stop,
        _admitted: admitted,
        _server: server,
        _folder: folder,
    }
}

async fn server(folder: &TempDir) -> (Server, String) {
    let server = Command::new("nats-server")
        .args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd"])
        .arg(folder.path().join("jetstream"))
        .arg("--ports_file_dir")
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Server)
        .expect("nats-server is installed");
    let began = Instant::now();
    loop {
        let mut files = std::fs::read_dir(folder.path()).unwrap().flatten();
        let ports = files.find(|file| file.path().extension().is_some_and(|kind| kind == "ports"));
        let text = ports.and_then(|file| std::fs::read_to_string(file.path()).ok());
        let ports: Option<serde_json::Value> =
            text.and_then(|text| serde_json::from_str(&text).ok());
        if let Some(url) = ports.as_ref().and_then(|ports| ports["nats"][0].as_str()) {
            return (server, url.to_owned());
        }
        assert!(began.elapsed() < PATIENCE, "no nats-server");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// All answers of a call, or the text of its failure.
type Answers = Result<Vec<Bytes>, String>;

impl Ground {
    /// Calls as the agent of slot 1 would.
    async fn call(&self, what: &str, name: &str, body: &[u8]) -> Answers {
        self.call_as(1, ("default", "echo"), (what, name, body))
            .await
    }

    async fn call_as(
        &self,
        number: u32,
        claims: (&str, &str),
        (what, name, body): (&str, &str, &[u8]),
    ) -> Answers {
        let prefix = subject::inbox_prefix(&slot(number).to_string());
        let options = ConnectOptions::new().custom_inbox_prefix(prefix);
        let agent = options.connect(&self.url).await.unwrap();
        let inbox = agent.new_inbox();
        let mut answers = agent.subscribe(inbox.clone()).await.unwrap();
        let (service, method) = what.split_once('.').unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(END_HEADER, "1");
        name_header(service).inspect(|header| headers.insert(*header, name));
        let subject = subject::rpc(&slot(number).to_string(), claims, service, method);
        let body = Bytes::copy_from_slice(body);
        let asked = agent.publish_with_reply_and_headers(subject, inbox, headers, body);
        asked.await.unwrap();
        let mut all = Vec::new();
        loop {
            let answer = timeout(PATIENCE, answers.next())
                .await
                .expect("an answer")
                .unwrap();
            let header = |name: &str| Some(answer.headers.as_ref()?.get(name)?.to_string());
            if let Some(why) = header(ERROR_HEADER) {
                assert!(String::from_utf8_lossy(&answer.payload).contains("error"));
                return Err(why);
            }
            let end = header(END_HEADER);
            if end.as_deref() != Some("0") {
                all.push(answer.payload);
            }
            if end.is_some() {
                return Ok(all);
            }
        }
    }

    async fn check(&self, what: &str, name: &str, expected: Result<&[u8], &str>) {
        self.check_with(what, name, (b"", expected)).await;
    }

    /// Whether the one answer, or the failure, begins like this.
    async fn check_with(
        &self,
        what: &str,
        name: &str,
        (body, expected): (&[u8], Result<&[u8], &str>),
    ) {
        match (self.call(what, name, body).await, expected) {
            (Ok(answers), Ok(expected)) => assert_eq!(answers, [expected], "{what} {name}"),
            (Err(text), Err(part)) => assert!(text.contains(part), "{what} {name}: {text}"),
            (got, expected) => panic!("{what} {name}: {got:?} instead of {expected:?}"),
        }
    }
}

#[tokio::test]
async fn row_6_7_kv_keeps_bytes_under_keys() {
    let ground = ground(options()).await;
    ground.check("kv.keys", "", Ok(b"[]")).await;
    ground
        .check(
            "kv.get",
            "a",
            Err("failed to get value for key a: nats: key not found"),
        )
        .await;
    let set = Ok(&br#"{"revision":1,"success":true}"#[..]);
    ground
        .check_with("kv.set", "a", (b"\x01\x80\xff", set))
        .await;
    ground.check("kv.get", "a", Ok(b"\x01\x80\xff")).await;
    ground.check("kv.keys", "", Ok(br#"["a"]"#)).await;
    ground
        .check("kv.delete", "a", Ok(br#"{"success":true}"#))
        .await;
    ground
        .check("kv.delete", "never", Ok(br#"{"success":true}"#))
        .await;
    ground
        .check("kv.get", "a", Err("nats: key not found"))
        .await;
    ground.check("kv.get", "", Err("key is required")).await;
    ground
        .check("kv.list", "a", Err("invalid rpc request"))
        .await;
    ground
        .check("disk.read", "a", Err("invalid rpc request"))
        .await;
    let bucket = async_nats::jetstream::new(ground.client.clone());
    let status = bucket.get_key_value("hs_default_echo_kv").await.unwrap();
    assert_eq!(
        status.status().await.unwrap().info.config.max_bytes,
        524_288
    );
}

#[tokio::test]
async fn row_6_7_objects_are_kept_listed_and_deleted() {
    let ground = ground(options()).await;
    ground.check("objectstore.list", "", Ok(b"[]")).await;
    ground
        .check("objectstore.get", "a", Err("failed to get object a"))
        .await;
    let put = ground
        .call("objectstore.put", "a b", b"\x01\x80\xff")
        .await
        .unwrap();
    let info: serde_json::Value = serde_json::from_slice(&put[0]).unwrap();
    assert_eq!((&info["name"], &info["size"]), (&"a b".into(), &3.into()));
    assert_eq!(info["bucket"], "hs_default_echo_os");
    ground
        .check("objectstore.get", "a b", Ok(b"\x01\x80\xff"))
        .await;
    let list = ground.call("objectstore.list", "", b"").await.unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list[0]).unwrap();
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["name"]),
        (1, &"a b".into())
    );
    ground
        .check("objectstore.delete", "a b", Ok(br#"{"success":true}"#))
        .await;
    ground
        .check("objectstore.get", "a b", Err("failed to get object"))
        .await;
    ground
        .check("objectstore.get", "", Err("name is required"))
        .await;
}

#[tokio::test]
async fn row_6_7_messages_are_sent_and_replies_gathered() {
    let ground = ground(options()).await;
    let mut heard = ground.client.subscribe("hello.>").await.unwrap();
    ground.client.flush().await.unwrap();
    let client = ground.client.clone();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = heard.next().await {
            tell.send((message.subject.to_string(), message.payload.clone()))
                .unwrap();
            let Some(reply) = message.reply else { continue };
            for text in ["one", "two"] {
                client.publish(reply.clone(), text.into()).await.unwrap();
            }
        }
    });
    let success = Ok(&br#"{"success":true}"#[..]);
    ground
        .check_with("messaging.publish", "hello.a", (b"\x80\xff", success))
        .await;
    let got = timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    assert_eq!(got, ("hello.a".to_owned(), Bytes::from_static(b"\x80\xff")));
    ground
        .check("messaging.request", "hello.b", Ok(b"one"))
        .await;
    let many = ground
        .call("messaging.requestMany", "hello.c", b"x")
        .await
        .unwrap();
    assert_eq!(many, ["one", "two"]);
    let none = ground
        .call("messaging.requestMany", "nobody.there", b"x")
        .await;
    assert_eq!(none, Ok(Vec::new()));
    let silent = "failed to send 0-byte request on subject nobody.there: nats: no responders";
    ground
        .check("messaging.request", "nobody.there", Err(silent))
        .await;
}

#[tokio::test]
async fn messages_on_subjects_of_others_are_not_sent() {
    let ground = ground(options()).await;
    let mut all = ground.client.subscribe(">").await.unwrap();
    for subject in [
        "$NEX.DEPLOY.default.N1",
        "$JS.API.STREAM.NAMES",
        "$SYS.x",
        "$KV.hs_other_echo_kv.a",
        "agentint.coj2v3d2omt3lq0a1b2g.deploy",
        "_INBOX.x.y",
    ] {
        for method in ["publish", "request", "requestMany"] {
            let what = format!("messaging.{method}");
            ground.check(&what, subject, Err("not allowed")).await;
        }
    }
    for subject in ["a b", "a.*", "a.>", "a\u{7f}PUB"] {
        ground
            .check("messaging.publish", subject, Err("nats: invalid subject"))
            .await;
    }
    ground
        .check("messaging.publish", "last", Ok(br#"{"success":true}"#))
        .await;
    loop {
        let message = timeout(PATIENCE, all.next()).await.unwrap().unwrap();
        let subject = message.subject.to_string();
        if subject == "last" {
            break;
        }
        let ours = subject.contains(".rpc.") || subject.starts_with("_INBOX_");
        assert!(ours, "{subject}");
    }
}

#[tokio::test]
async fn a_call_is_its_slot_s_whatever_it_claims() {
    let ground = ground(options()).await;
    let _other = ground.services.admit(&speaker(2, "other", "prey"));
    let set = |number, claims| ground.call_as(number, claims, ("kv.set", "secret", b"prey's"));
    set(2, ("other", "prey")).await.unwrap();
    let claimed = ground
        .call_as(1, ("other", "prey"), ("kv.get", "secret", b""))
        .await;
    assert!(claimed.unwrap_err().contains("key not found"));
    let own = ground
        .call_as(2, ("default", "echo"), ("kv.get", "secret", b""))
        .await;
    assert_eq!(own.unwrap(), ["prey's"]);
    let nobody = ground
        .call_as(3, ("other", "prey"), ("kv.get", "secret", b""))
        .await;
    assert_eq!(nobody, Err("unknown process".to_owned()));
}

#[tokio::test]
async fn a_function_that_has_gone_has_no_say() {
    let ground = ground(options()).await;
    let admitted = ground.services.admit(&speaker(2, "other", "prey"));
    let keys = || ground.call_as(2, ("other", "prey"), ("kv.keys", "", b""));
    assert_eq!(keys().await.unwrap(), ["[]"]);
    drop(admitted);
    assert_eq!(keys().await, Err("unknown process".to_owned()));
}

#[tokio::test]
async fn an_answer_that_is_wanted_elsewhere_is_not_given() {
    let ground = ground(options()).await;
    ground.call("kv.set", "a", b"an order").await.unwrap();
    let deploy = subject::deploy(&slot(2).to_string());
    let mut heard = ground.client.subscribe(deploy.clone()).await.unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-keyvalue-key", "a");
    let rpc = subject::rpc(&slot(1).to_string(), ("default", "echo"), "kv", "get");
    let (client, body) = (&ground.client, Bytes::new());
    client
        .publish_with_reply_and_headers(rpc, deploy, headers, body)
        .await
        .unwrap();
    // What was asked later has been answered, so this would have been.
    for _ in 0..5 {
        ground.check("kv.get", "a", Ok(b"an order")).await;
    }
    client.flush().await.unwrap();
    assert!(
        timeout(Duration::from_millis(100), heard.next())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn giant_values_and_odd_names_are_refused() {
    let ground = ground(options()).await;
    let giant = vec![b'x'; 600_000];
    let check = |what: &'static str, error: &'static str| {
        let (ground, giant) = (&ground, &giant);
        async move { ground.check_with(what, "a", (giant, Err(error))).await }
    };
    check("kv.set", "too large").await;
    check("objectstore.put", "too large").await;
    check("http.post", "too large").await;
    // The bucket as a whole is bounded as well.
    let large = vec![b'x'; 300_000];
    assert!(ground.call("kv.set", "b1", &large).await.is_ok());
    assert!(ground.call("kv.set", "b2", &large).await.is_err());
    for key in ["a b", "a.*", ">", "../a", ".a", "ä"] {
        assert!(ground.call("kv.set", key, b"x").await.is_err(), "{key}");
    }
    let _odd = ground.services.admit(&speaker(4, "a_b", "c"));
    let error = ground.call_as(4, ("a_b", "c"), ("kv.keys", "", b"")).await;
    assert!(error.unwrap_err().contains("do not make a bucket's name"));
}

#[tokio::test]
async fn a_service_that_is_not_enabled_refuses() {
    let ground = ground(ServiceOptions::only(&[]).unwrap()).await;
    for (what, service) in [
        ("kv.get", "kv"),
        ("objectstore.get", "objectstore"),
        ("messaging.publish", "messaging"),
        ("messaging.requestMany", "messaging"),
        ("http.get", "http"),
    ] {
        let expected = format!("host service '{service}' is not enabled on this node");
        ground.check(what, "a", Err(&expected)).await;
    }
}
