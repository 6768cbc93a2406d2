//! One agent on the test bench: a server, the program, and what the node
//! hears. Everything is killed when it is dropped.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap, Message, Request};
use bytes::Bytes;
use futures::StreamExt as _;
use hostler_wire::agent::{
    AgentDeployRequest, AgentMetadata, AgentState, ArtifactRequest, CloudEvent, DeployResponse,
    ERROR_HEADER, LogEntry, Message as _, subject,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::server::Server;

pub(crate) const SLOT: &str = "coj2v3d2omt3lq0a1b2g";
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) node: Client,
    pub(crate) agent: Child,
    folder: TempDir,
    heard: Arc<Mutex<Vec<Message>>>,
    artifact: Arc<Mutex<Bytes>>,
}

impl Bench {
    /// With an agent that has shaken hands.
    pub(crate) async fn new() -> Self {
        let server = Server::start();
        let bench = Self::with(server).await;
        bench.handshakes(1).await;
        bench
    }

    async fn with(server: Server) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("work")).expect("a work folder");
        let node = node(&server).await;
        let bench = Self {
            agent: agent(&server, &folder),
            server,
            node,
            folder,
            heard: Arc::default(),
            artifact: Arc::default(),
        };
        bench.listen().await;
        bench
    }

    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// What the agent wrote to its own log.
    pub(crate) fn agent_log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("agent.log")).expect("a log")
    }

    /// A request to deploy these bytes, which the node hands out.
    pub(crate) fn request(&self, kind: &str, bytes: &[u8], argv: &[&str]) -> AgentDeployRequest {
        *self.artifact.lock().unwrap() = Bytes::copy_from_slice(bytes);
        AgentDeployRequest {
            argv: argv.iter().map(|&one| one.to_owned()).collect(),
            environment: Some(BTreeMap::new()),
            hash: data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)),
            namespace: "default".to_owned(),
            total_bytes: bytes.len() as u64,
            workload_name: "probe".to_owned(),
            workload_type: kind.to_owned(),
            generation: Some(3),
            ..AgentDeployRequest::default()
        }
    }

    pub(crate) async fn deploy(&self, request: &AgentDeployRequest) -> DeployResponse {
        self.deploy_bytes(request.encode()).await
    }

    pub(crate) async fn deploy_bytes(&self, payload: Vec<u8>) -> DeployResponse {
        let answer = self.ask("deploy", payload, HeaderMap::new()).await;
        DeployResponse::decode(&answer.payload).expect("a response")
    }

    /// Deploys the test's service; it has done its first things on return.
    pub(crate) async fn run(&self, argv: &[&str]) -> AgentDeployRequest {
        let request = self.request("elf", crate::program::service(), argv);
        assert_eq!(self.deploy(&request).await, DeployResponse::accepted());
        self.until("the service is ready", || {
            self.work("ready").exists().then_some(())
        })
        .await;
        request
    }

    pub(crate) async fn undeploy(&self, grace_ms: u64) -> Duration {
        let began = Instant::now();
        let payload = format!("{{\"grace_ms\":{grace_ms}}}").into_bytes();
        let answer = self.ask("undeploy", payload, HeaderMap::new()).await;
        assert_eq!(
            answer
                .headers
                .and_then(|all| all.get(ERROR_HEADER).cloned()),
            None
        );
        began.elapsed()
    }

    /// What the calls give, during which the agent tells its state all the same.
    pub(crate) async fn answers_during<T>(&self, calls: impl Future<Output = T>) -> T {
        let mut calls = std::pin::pin!(calls);
        for _ in 0..3 {
            tokio::select! {
                biased;
                _ = &mut calls => panic!("nothing was answered before the calls were over"),
                _ = self.state() => {}
            }
        }
        calls.await
    }

    pub(crate) async fn state(&self) -> AgentState {
        let answer = self.ask("ping", Vec::new(), HeaderMap::new()).await;
        AgentState::decode(&answer.payload).expect("a state")
    }

    /// Asks again while nobody listens: the agent may be reconnecting.
    pub(crate) async fn ask(&self, verb: &str, payload: Vec<u8>, headers: HeaderMap) -> Message {
        let payload = Bytes::from(payload);
        let began = Instant::now();
        loop {
            let request = Request::new()
                .payload(payload.clone())
                .headers(headers.clone());
            let request = request.timeout(Some(PATIENCE));
            match self
                .node
                .send_request(format!("agentint.{SLOT}.{verb}"), request)
                .await
            {
                Ok(answer) => return answer,
                Err(error) if began.elapsed() > PATIENCE => panic!("{verb}: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Waits for so many handshakes; what they say.
    pub(crate) async fn handshakes(&self, count: usize) -> Vec<Message> {
        self.until("a handshake", || {
            let all = self.heard(&subject::handshake(SLOT));
            (all.len() >= count).then_some(all)
        })
        .await
    }

    pub(crate) fn logs(&self) -> Vec<LogEntry> {
        let all = self.heard(&subject::logs(SLOT));
        all.iter()
            .map(|one| LogEntry::decode(&one.payload).expect("an entry"))
            .collect()
    }

    /// Everything that was written on a level, in one piece.
    pub(crate) fn written(&self, level: i32) -> String {
        let logs = self.logs();
        let texts = logs
            .iter()
            .filter(|one| one.source == "probe" && one.level.0 == level);
        texts.map(|one| one.text.as_str()).collect()
    }

    /// What the agent itself said, with levels.
    pub(crate) fn said(&self) -> Vec<(i32, String)> {
        let logs = self.logs();
        let own = logs.into_iter().filter(|one| one.source == "nex-agent");
        own.map(|one| (one.level.0, one.text)).collect()
    }

    pub(crate) fn events(&self, kind: &str) -> Vec<CloudEvent> {
        let all = self.heard(&subject::event(SLOT, kind));
        all.iter()
            .map(|one| CloudEvent::decode(&one.payload).expect("an event"))
            .collect()
    }

    /// The subjects of everything heard, in order, without the common part.
    pub(crate) fn order(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let prefix = format!("agentint.{SLOT}.");
        heard
            .iter()
            .map(|one| one.subject.replace(&prefix, ""))
            .collect()
    }

    pub(crate) async fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "waited in vain: {what}\n{}\n{:?}",
                self.agent_log(),
                self.logs()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the end of the agent.
    pub(crate) async fn agent_ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.agent.try_wait().expect("our child") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "the agent goes on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn heard(&self, subject: &str) -> Vec<Message> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .filter(|one| one.subject.as_str() == subject)
            .cloned()
            .collect()
    }

    /// Records everything, and answers as a node does.
    async fn listen(&self) {
        let everything = subject::slot_all(SLOT);
        let mut all = self.node.subscribe(everything).await.expect("subscribed");
        self.node.flush().await.expect("flushed");
        let (node, heard) = (self.node.clone(), Arc::clone(&self.heard));
        let artifact = Arc::clone(&self.artifact);
        tokio::spawn(async move {
            while let Some(message) = all.next().await {
                let answer = match message.subject.rsplit('.').next() {
                    Some("handshake") => Some(Bytes::from_static(b"{}")),
                    Some("artifact") => Some(chunk(&message, &artifact)),
                    _ => None,
                };
                heard.lock().unwrap().push(message.clone());
                if let (Some(reply), Some(answer)) = (message.reply, answer) {
                    node.publish(reply, answer).await.expect("answered");
                }
            }
        });
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

/// Small chunks, so that an artifact of a test takes several.
fn chunk(message: &Message, artifact: &Mutex<Bytes>) -> Bytes {
    let asked = ArtifactRequest::decode(&message.payload).expect("a request");
    let all = artifact.lock().unwrap().clone();
    let begin = usize::try_from(asked.offset).unwrap().min(all.len());
    all.slice(begin..all.len().min(begin + 300_000))
}

async fn node(server: &Server) -> Client {
    let began = Instant::now();
    loop {
        let options = async_nats::ConnectOptions::new();
        let options = options.reconnect_delay_callback(|_| Duration::from_millis(10));
        match options.connect(server.url()).await {
            Ok(client) => return client,
            Err(error) if began.elapsed() > PATIENCE => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

fn agent(server: &Server, folder: &TempDir) -> Child {
    let metadata = AgentMetadata {
        slot: SLOT.to_owned(),
        host: "127.0.0.1".to_owned(),
        port: server.port,
        ..AgentMetadata::default()
    };
    let log = File::create(folder.path().join("agent.log")).expect("a log");
    Command::new(env!("CARGO_BIN_EXE_hostler-agent"))
        .env_clear()
        .envs(metadata.to_env())
        .env("SECRET_OF_THE_AGENT", "must not be inherited")
        .current_dir(folder.path().join("work"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the agent")
}
