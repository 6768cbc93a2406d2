//! A control plane of a few lines: registers any node, answers heartbeats as
//! it was told, keeps them, and has artifacts.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::Utc;
use hostler_core::Generation;
use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::node::{Beat, NodeStatus, Scheduling};
use hostler_wire::node_api::{Entry, Heartbeat, HeartbeatReply, TOKEN_HEADER};
use hostler_wire::rest::{ErrorBody, Node, NodeRegister, NodeRegistered, Resources};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::PATIENCE;

pub(crate) const KEY: &str = "the-key-of-the-node";
pub(crate) const JOIN: &str = "join-me";

/// How heartbeats are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// With status 500.
    Broken,
    /// As if there were no such node.
    Forgetful,
}

#[derive(Clone)]
pub(crate) struct ControlPlane {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    told: Mutex<Told>,
    heard: watch::Sender<Vec<Heartbeat>>,
    registered: watch::Sender<Vec<NodeRegister>>,
}

struct Told {
    mood: Mood,
    heartbeat_ms: u64,
    fence_after_ms: Option<u64>,
    forget: Vec<(WorkloadId, Generation)>,
    artifacts: HashMap<String, Vec<u8>>,
    fetches: u32,
}

impl ControlPlane {
    /// One that wants heartbeats so often.
    pub(crate) async fn start(heartbeat_ms: u64) -> Self {
        let shared = Arc::new(Shared {
            told: Mutex::new(Told {
                mood: Mood::Well,
                heartbeat_ms,
                fence_after_ms: None,
                forget: Vec::new(),
                artifacts: HashMap::new(),
                fetches: 0,
            }),
            heard: watch::Sender::default(),
            registered: watch::Sender::default(),
        });
        let router = Router::new()
            .route("/slaves", post(register))
            .route("/slaves/heartbeat", post(heartbeat))
            .route("/artifacts/{digest}/content", get(content))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { shared, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.shared.told.lock().unwrap().mood = mood;
    }

    /// From now on nodes hear that they must stop leased work after this.
    pub(crate) fn fence_after(&self, ms: u64) {
        self.shared.told.lock().unwrap().fence_after_ms = Some(ms);
    }

    pub(crate) fn forget(&self, id: WorkloadId, generation: Generation) {
        self.shared.told.lock().unwrap().forget = vec![(id, generation)];
    }

    /// Keeps an artifact; its digest.
    pub(crate) fn artifact(&self, bytes: &[u8]) -> String {
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
        self.artifact_as(&digest, bytes);
        digest
    }

    /// Keeps bytes under a digest that may not be theirs.
    pub(crate) fn artifact_as(&self, digest: &str, bytes: &[u8]) {
        let mut told = self.shared.told.lock().unwrap();
        told.artifacts.insert(digest.to_owned(), bytes.to_vec());
    }

    pub(crate) fn fetches(&self) -> u32 {
        self.shared.told.lock().unwrap().fetches
    }

    pub(crate) fn registrations(&self) -> Vec<NodeRegister> {
        self.shared.registered.borrow().clone()
    }

    /// The newest heartbeat heard, by name.
    pub(crate) fn beat(&self) -> Option<Beat> {
        let heard = self.shared.heard.borrow();
        heard.last()?.report.as_ref().map(|report| report.beat)
    }

    /// Waits for a heartbeat, from the next one on, with something in it.
    pub(crate) async fn heard<T>(&self, mut wanted: impl FnMut(&Heartbeat) -> Option<T>) -> T {
        let mut heard = self.shared.heard.subscribe();
        let found = async {
            loop {
                let found = heard.borrow_and_update().last().and_then(&mut wanted);
                if let Some(found) = found {
                    return found;
                }
                heard.changed().await.unwrap();
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, found).await;
        in_time.expect("a heartbeat with that in it")
    }

    /// Waits for a heartbeat of another start of the daemon.
    pub(crate) async fn heard_from_another(&self, old: Option<Beat>) {
        self.heard(|heartbeat| {
            let boot = heartbeat.report.as_ref()?.beat.boot;
            (Some(boot) != old.map(|old| old.boot)).then_some(())
        })
        .await;
    }

    /// Waits until a heartbeat says something of this workload.
    pub(crate) async fn heard_of(&self, id: WorkloadId, wanted: impl Fn(&Entry) -> bool) -> Entry {
        self.heard(|heartbeat| {
            let ledger = &heartbeat.report.as_ref()?.ledger;
            let entry = ledger.iter().find(|entry| entry.id == id)?;
            wanted(entry).then(|| entry.clone())
        })
        .await
    }
}

type Refusal = (StatusCode, Json<ErrorBody>);

fn refusal(status: StatusCode, code: &str) -> Refusal {
    let body = ErrorBody {
        error: "as I was told".to_owned(),
        code: code.to_owned(),
        hint: None,
        missing_policy: None,
    };
    (status, Json(body))
}

async fn register(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<NodeRegister>,
) -> Result<Json<NodeRegistered>, Refusal> {
    let bearer = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    if bearer != Some(&format!("Bearer {JOIN}")) {
        return Err(refusal(StatusCode::UNAUTHORIZED, "unauthenticated"));
    }
    shared.registered.send_modify(|all| all.push(body.clone()));
    if matches!(shared.told.lock().unwrap().mood, Mood::Broken) {
        return Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    }
    let node = Node {
        id: NodeId::from_parts(1, [1; 10]),
        name: body.name,
        hostname: body.hostname,
        port: body.port,
        status: NodeStatus::Pending,
        scheduling: Scheduling::Open,
        created_at: Utc::now(),
        last_heartbeat: None,
        total_cpu: 0,
        total_mem: 0,
        total_disk: 0,
        capacity: Resources::default(),
        reserved: Resources::default(),
        slots: 0,
        seated: 0,
        labels: body.labels,
        version: String::new(),
        unclaimed: Vec::new(),
    };
    let heartbeat_ms = shared.told.lock().unwrap().heartbeat_ms;
    Ok(Json(NodeRegistered {
        node,
        api_key: KEY.to_owned(),
        heartbeat_ms,
    }))
}

fn is_node(headers: &HeaderMap) -> bool {
    headers.get(TOKEN_HEADER).is_some_and(|value| value == KEY)
}

async fn heartbeat(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<Heartbeat>,
) -> Result<Json<HeartbeatReply>, Refusal> {
    if !is_node(&headers) {
        return Err(refusal(StatusCode::UNAUTHORIZED, "unauthenticated"));
    }
    let reply = {
        let told = shared.told.lock().unwrap();
        match told.mood {
            Mood::Well => HeartbeatReply {
                heartbeat_ms: told.heartbeat_ms,
                fence_after_ms: told.fence_after_ms,
                forget: told.forget.clone(),
                forget_vms: Vec::new(),
            },
            Mood::Broken => {
                return Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal"));
            }
            Mood::Forgetful => return Err(refusal(StatusCode::NOT_FOUND, "not_found")),
        }
    };
    shared.heard.send_modify(|all| all.push(body));
    Ok(Json(reply))
}

async fn content(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(digest): Path<String>,
) -> Result<Vec<u8>, Refusal> {
    if !is_node(&headers) {
        return Err(refusal(StatusCode::UNAUTHORIZED, "unauthenticated"));
    }
    let mut told = shared.told.lock().unwrap();
    told.fetches += 1;
    let bytes = told.artifacts.get(&digest).cloned();
    bytes.ok_or_else(|| refusal(StatusCode::NOT_FOUND, "not_found"))
}
