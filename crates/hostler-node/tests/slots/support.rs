//! A node's slots in a folder of their own, and ways to wait for things.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use hostler_core::Resources;
use hostler_core::id::SlotId;
use hostler_daemon::process::ProcessId;
use hostler_node::hypervisor::DriverChoice;
use hostler_node::slots::{Deployment, SlotEvent, SlotNeed, Slots, SlotsOptions, Trigger};
use hostler_wire::agent::AgentDeployRequest;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Nothing here takes nearly this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// One life of a node's slots.
pub(crate) struct Life {
    pub(crate) slots: Slots,
    pub(crate) events: Receiver<SlotEvent>,
    stop: CancellationToken,
}

impl Life {
    pub(crate) async fn start(options: SlotsOptions) -> Self {
        let stop = CancellationToken::new();
        let started = Slots::start(options, stop.clone()).await;
        let (slots, events) = started.expect("the slots start");
        Self {
            slots,
            events,
            stop,
        }
    }

    /// Ends our tasks and nothing else, as the death of the node would.
    pub(crate) fn end(self) {
        self.stop.cancel();
    }

    pub(crate) async fn claim(&self) -> SlotId {
        self.slots.claim(&small()).await.expect("a slot")
    }

    /// The next event for which `wanted` is something.
    pub(crate) async fn event<T>(&mut self, wanted: impl Fn(&SlotEvent) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.expect("slots that live");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("the event in time")
    }
}

/// A folder for a node's data, and what is to be run.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn options(&self, driver: DriverChoice) -> SlotsOptions {
        SlotsOptions {
            driver,
            ..SlotsOptions::new(self.folder.path().join("data"), "no-agent")
        }
    }

    /// A deployment of these bytes.
    pub(crate) fn deployment(&self, kind: &str, artifact: &[u8]) -> Deployment {
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(artifact));
        let path = self.folder.path().join(&hash);
        std::fs::write(&path, artifact).expect("written");
        let function = kind == "wasm";
        Deployment {
            digest: hash.clone(),
            request: AgentDeployRequest {
                hash,
                namespace: "default".into(),
                total_bytes: artifact.len() as u64,
                trigger_subjects: function.then(|| vec!["a.b".into()]),
                workload_name: "echo".into(),
                workload_type: kind.into(),
                generation: Some(1),
                ..AgentDeployRequest::default()
            },
            artifact: path,
            lease: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Living processes that were started in this folder, or with a file of it.
    pub(crate) fn processes(&self) -> Vec<ProcessId> {
        let folder = self.folder.path().canonicalize().expect("a folder");
        let needle = folder.to_string_lossy().into_owned();
        let speaks_of_it = |pid: i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            let me = std::process::id().cast_signed();
            pid != me
                && (String::from_utf8_lossy(&line).contains(&needle) || cwd.starts_with(&folder))
        };
        let entries = std::fs::read_dir("/proc").expect("/proc");
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| speaks_of_it(*pid))
            .filter_map(ProcessId::of)
            .collect()
    }
}

/// A test that fails leaves nothing running either.
impl Drop for Ground {
    fn drop(&mut self) {
        for process in self.processes() {
            process.signal(rustix::process::Signal::KILL);
        }
    }
}

pub(crate) fn small() -> SlotNeed {
    SlotNeed {
        resources: Resources::of(1_000, 64),
        pids: 16,
    }
}

pub(crate) fn message(text: &str) -> Trigger {
    Trigger {
        subject: "a.b".into(),
        payload: text.to_owned().into(),
        traceparent: None,
    }
}

/// Waits until the condition holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waited = timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "never: {what}");
}
