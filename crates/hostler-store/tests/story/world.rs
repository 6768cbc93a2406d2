//! A store on a database of its own, and the people and things of the story.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hostler_core::artifact::ArtifactKind;
use hostler_core::id::{BootId, NodeId};
use hostler_core::workload::{Goal, Kind, OnNodeLoss};
use hostler_core::{Generation, Labels, Name, Resources, Timestamp};
use hostler_store::testing::Postgres;
use hostler_store::{
    By, IdempotencyKey, Inserted, Limits, NewArtifact, NewNode, NewWorkload, NodeReport, NodeRow,
    SealingKey, SeatRequest, Secret, Store, WorkloadRow, WorkloadSpec,
};

pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_763_672_856_123);
pub(crate) const BY: By<'static> = By::new("ada", NOW);
pub(crate) const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) key: [u8; 32],
    pub(crate) folder: tempfile::TempDir,
    // Stops when the last world of this process is gone.
    _postgres: Option<Arc<Postgres>>,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("hostler.db").display());
        Self::open(url, folder, None).await
    }

    pub(crate) async fn postgres() -> Self {
        let postgres = tokio::task::spawn_blocking(Postgres::shared).await.unwrap();
        let postgres = postgres.unwrap_or_else(|error| panic!("{error}"));
        let url = postgres.database().unwrap();
        Self::open(url, tempfile::tempdir().unwrap(), Some(postgres)).await
    }

    async fn open(url: String, folder: tempfile::TempDir, postgres: Option<Arc<Postgres>>) -> Self {
        let key = [7; 32];
        let store = Store::open(&url, SealingKey::from_bytes(key))
            .await
            .unwrap();
        let world = Self {
            store,
            url,
            key,
            folder,
            _postgres: postgres,
        };
        world.artifact("default").await;
        world
    }

    pub(crate) async fn again(&self) -> Store {
        Store::open(&self.url, SealingKey::from_bytes(self.key))
            .await
            .unwrap()
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.folder.path().join("hostler.db")
    }

    pub(crate) async fn artifact(&self, project: &str) {
        let project = name(project);
        let new = NewArtifact {
            digest: DIGEST.to_owned(),
            kind: ArtifactKind::Elf,
            size: 1_024,
            project,
        };
        self.store.artifact_insert(&BY, new).await.unwrap();
    }

    /// A registered node, not heard yet.
    pub(crate) async fn stranger(&self, text: &str) -> NodeRow {
        self.store
            .node_register(&BY, new_node(text), None)
            .await
            .unwrap()
            .node
    }

    /// A node that was heard, with room for `slots` workloads.
    pub(crate) async fn node(&self, text: &str, slots: u32) -> NodeId {
        let id = self.stranger(text).await.facts.id;
        self.store
            .node_heartbeat(NOW, id, report(1, slots))
            .await
            .unwrap();
        id
    }

    pub(crate) async fn workload(&self, text: &str) -> WorkloadRow {
        match self
            .store
            .workload_insert(&BY, new_workload(text), None)
            .await
            .unwrap()
        {
            Inserted::New(row) => row,
            Inserted::Replayed(row) => panic!("{row:?} was there before"),
        }
    }

    /// A workload that sits on `node`, at generation 2.
    pub(crate) async fn seated(&self, text: &str, node: NodeId) -> WorkloadRow {
        let row = self.workload(text).await;
        self.store
            .workload_seat(&BY, seat(&row, node), None)
            .await
            .unwrap();
        self.row(&row).await
    }

    /// The workload as it is now.
    pub(crate) async fn row(&self, row: &WorkloadRow) -> WorkloadRow {
        self.store
            .workload_get(row.facts.id)
            .await
            .unwrap()
            .unwrap()
    }

    /// The node as it is now.
    pub(crate) async fn node_row(&self, id: NodeId) -> NodeRow {
        self.store.node_get(id).await.unwrap().unwrap()
    }

    /// The kinds of all events about `subject`, oldest first.
    pub(crate) async fn told(&self, subject: impl ToString) -> Vec<String> {
        let filter = hostler_store::EventFilter {
            subject: Some(subject.to_string()),
            ..Default::default()
        };
        let events = self.store.event_list(&filter, None, 1_000).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(crate) fn new_node(text: &str) -> NewNode {
    NewNode {
        runner: None,
        name: name(text),
        hostname: "127.0.0.1".to_owned(),
        port: 3_011,
        labels: labels(&[("zone", "north")]),
        key: Secret::new(format!("key of {text}")),
    }
}

pub(crate) fn boot(number: u8) -> BootId {
    BootId::from_parts(u64::from(number), [number; 10])
}

/// A heartbeat of the first boot: a core and a GiB for each slot.
pub(crate) fn report(sequence: u64, slots: u32) -> NodeReport {
    NodeReport {
        boot: boot(1),
        sequence,
        version: "0.1.0".to_owned(),
        capacity: Resources::of(1_000 * u64::from(slots), 1_024 * u64::from(slots)),
        slots,
        tags: labels(&[("nex.arch", "x86_64"), ("zone", "unknown")]),
        unclaimed: serde_json::json!([]),
        unclaimed_room: Resources::default(),
        unclaimed_slots: 0,
        vm_disk: hostler_core::Bytes::default(),
        unclaimed_vms: serde_json::json!([]),
        lease_until: Timestamp::NEVER,
    }
}

/// Needs exactly one core and one GiB.
pub(crate) fn new_workload(text: &str) -> NewWorkload {
    NewWorkload {
        spec: WorkloadSpec {
            project: name("default"),
            name: name(text),
            kind: Kind::Elf,
            artifact: DIGEST.to_owned(),
            argv: vec!["--loud".to_owned()],
            triggers: vec!["echo.>".to_owned()],
            essential: true,
            resources: Resources::of(1_000, 1_024),
            pids: 64,
            labels: labels(&[("app", "echo")]),
            rules: serde_json::json!({"node_labels": {"zone": "north"}}),
            on_node_loss: OnNodeLoss::Wait,
            description: "answers".to_owned(),
        },
        environment: BTreeMap::from([("TOKEN".to_owned(), "correct horse".to_owned())]),
        goal: Goal::Running,
    }
}

pub(crate) fn key(text: &str, request: u8) -> IdempotencyKey {
    IdempotencyKey {
        key: text.to_owned(),
        request_hash: [request; 32],
        actor: "ada".to_owned(),
    }
}

pub(crate) fn seat(row: &WorkloadRow, node: NodeId) -> SeatRequest {
    SeatRequest {
        workload: row.facts.id,
        expected: row.facts.generation,
        node,
        limits: Limits::default(),
    }
}

pub(crate) fn generation(number: u64) -> Generation {
    Generation::new(number)
}
