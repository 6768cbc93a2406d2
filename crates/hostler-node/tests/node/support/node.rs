//! A node of the test's own, over a data folder that outlives it.

use std::time::Duration;

use hostler_core::Generation;
use hostler_core::id::{SlotId, WorkloadId};
use hostler_core::workload::{Kind, NodeGoal, OnNodeLoss, SeenState};
use hostler_daemon::process::ProcessId;
use hostler_node::hypervisor::{DriverChoice, Fake};
use hostler_node::{ControlOptions, Handle, JoinToken, NodeOptions, View};
use hostler_wire::client::{ClientError, NodeClient};
use hostler_wire::node_api::{Ensure, Entry, Order};
use hostler_wire::rest::Resources;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::control::{JOIN, KEY};
use super::{ControlNats, ControlPlane, PATIENCE, eventually};

/// What outlives a node: its data folder and its machines.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) fake: Fake,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            fake: Fake::default(),
        }
    }

    pub(crate) fn options(&self, nats: &ControlNats) -> NodeOptions {
        let data = self.folder.path().join("data");
        let mut options = NodeOptions::new("n1", data, nats.url(), "no-agent");
        options.slots.driver = DriverChoice::Fake(self.fake.clone());
        options.slots.pool.max = 16;
        options.grace = Duration::from_millis(200);
        options.stop_grace = Duration::from_millis(200);
        options.restart.first_pause = Duration::from_millis(20);
        options
    }

    /// Settings of a node in the fleet of a control plane.
    pub(crate) fn options_in(&self, nats: &ControlNats, plane: &ControlPlane) -> NodeOptions {
        let mut options = self.options(nats);
        options.control = Some(ControlOptions {
            url: plane.url(),
            join: Some(JoinToken::Text(JOIN.to_owned())),
        });
        options
    }
}

/// Ends the inner server, which outlives its node on purpose.
impl Drop for Ground {
    fn drop(&mut self) {
        let Ok(folder) = self.folder.path().canonicalize() else {
            return;
        };
        let config = folder.join("data/inner/server.conf");
        let serves = |pid: i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0)
                .any(|word| word == config.as_os_str().as_encoded_bytes())
        };
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| serves(*pid))
            .filter_map(ProcessId::of)
            .for_each(|server| server.signal(Signal::KILL));
    }
}

/// A running node.
pub(crate) struct TestNode {
    pub(crate) handle: Handle,
    stop: CancellationToken,
    run: JoinHandle<()>,
}

impl TestNode {
    pub(crate) async fn start(options: NodeOptions) -> Self {
        let (service, handle) = hostler_node::start(options).await.expect("a node");
        let stop = CancellationToken::new();
        let run = tokio::spawn(service.run(stop.clone()));
        Self { handle, stop, run }
    }

    /// A node alone, with its ground and its control NATS.
    pub(crate) async fn alone() -> (ControlNats, Ground, Self) {
        let (nats, ground) = (ControlNats::start().await, Ground::new());
        let node = Self::start(ground.options(&nats)).await;
        (nats, ground, node)
    }

    /// A node in a fleet, heard once.
    pub(crate) async fn in_fleet(heartbeat_ms: u64) -> (ControlNats, ControlPlane, Ground, Self) {
        let (nats, ground) = (ControlNats::start().await, Ground::new());
        let plane = ControlPlane::start(heartbeat_ms).await;
        let node = Self::start(ground.options_in(&nats, &plane)).await;
        plane.heard(|_| Some(())).await;
        (nats, plane, ground, node)
    }

    /// The same, with agents that do not know of leases.
    pub(crate) async fn with_old_agents(
        heartbeat_ms: u64,
    ) -> (ControlNats, ControlPlane, Ground, Self) {
        let (nats, ground) = (ControlNats::start().await, Ground::new());
        ground.fake.script(|script| script.leases_unknown = true);
        let plane = ControlPlane::start(heartbeat_ms).await;
        let node = Self::start(ground.options_in(&nats, &plane)).await;
        plane.heard(|_| Some(())).await;
        (nats, plane, ground, node)
    }

    /// Stops in good order; the work runs on.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.run).await;
        ended.expect("an end in time").expect("a good end");
    }

    pub(crate) fn client(&self) -> NodeClient {
        NodeClient::new(&format!("http://{}", self.handle.api), KEY).unwrap()
    }

    pub(crate) async fn ensure(
        &self,
        id: WorkloadId,
        ensure: &Ensure,
    ) -> Result<Entry, ClientError> {
        self.client().ensure(id, ensure, PATIENCE).await
    }

    /// Orders workload 1 at generation 1 and waits until it runs; its slot.
    pub(crate) async fn runs_first(&self, plane: &ControlPlane) -> SlotId {
        let digest = plane.artifact(ABC);
        let order = run(plane, 1, &digest, ABC.len());
        self.ensure(id(1), &order).await.unwrap();
        self.runs(id(1)).await
    }

    /// Waits until the node says this of a workload.
    pub(crate) async fn seen(&self, id: WorkloadId, wanted: impl Fn(&View) -> bool) -> View {
        eventually("the workload's state", async || {
            let roster = self.handle.roster();
            let roster = roster.borrow();
            let view = roster.views.get(&id)?;
            wanted(view).then(|| View::clone(view))
        })
        .await
    }

    /// Waits until a workload runs; its slot.
    pub(crate) async fn runs(&self, id: WorkloadId) -> SlotId {
        let view = self.seen(id, |view| view.state == SeenState::Running).await;
        view.slot.expect("a slot")
    }

    pub(crate) async fn is(&self, id: WorkloadId, state: SeenState) -> View {
        self.seen(id, |view| view.state == state).await
    }
}

/// An artifact; any bytes do, since nothing is run.
pub(crate) const ABC: &[u8] = b"abc";

/// Workload number so and so.
pub(crate) fn id(number: u8) -> WorkloadId {
    WorkloadId::from_parts(1, [number; 10])
}

/// An order to run an essential service with this artifact.
pub(crate) fn run(plane: &ControlPlane, generation: u64, artifact: &str, size: usize) -> Ensure {
    Ensure {
        generation: Generation::new(generation),
        goal: NodeGoal::Running,
        heartbeat: plane.beat(),
        order: Some(Order {
            project: "default".into(),
            name: "echo".into(),
            kind: Kind::Elf,
            artifact: artifact.to_owned(),
            artifact_size: size as u64,
            argv: vec![],
            environment: [("A".to_owned(), "1".to_owned())].into(),
            triggers: vec![],
            essential: true,
            resources: Resources {
                cpu_millis: 100,
                memory_bytes: 64 << 20,
            },
            pids: 16,
            on_node_loss: OnNodeLoss::Restart,
            description: String::new(),
        }),
    }
}

/// An order to drop.
pub(crate) fn gone(generation: u64) -> Ensure {
    Ensure {
        generation: Generation::new(generation),
        goal: NodeGoal::Gone,
        heartbeat: None,
        order: None,
    }
}
