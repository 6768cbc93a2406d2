//! Both ends on a line in memory, and the node's end with processes that do what
//! a driver's process never should.

mod lines;
mod lives;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut as _, Bytes, BytesMut};
use hostler_core::id::VmId;

use super::words::{Answered, Hello, Problem, SPEECH, Value};
use super::*;
use crate::hypervisor::machines::FakeMachines;

const PATIENCE: Duration = Duration::from_mins(2);

fn vm(number: u8) -> VmId {
    VmId::from_parts(1, [number; 10])
}

/// Waits for what must come.
async fn in_time<T>(what: &str, comes: impl Future<Output = T>) -> T {
    let came = tokio::time::timeout(PATIENCE, comes).await;
    came.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// A frame with this word.
fn frame(word: &impl serde::Serialize) -> Bytes {
    let content = frames::pack(word).unwrap();
    let mut frame = BytesMut::new();
    frame.put_u32(u32::try_from(content.len()).unwrap());
    frame.extend_from_slice(&content);
    frame.freeze()
}

fn hello() -> Hello {
    Hello {
        speech: SPEECH,
        about: About {
            driver: "test".into(),
            accelerator: "none".into(),
            version: "1".into(),
        },
        away: None,
    }
}

fn done(id: u64) -> Answered {
    let result = Ok(Value::Done);
    Answered { id, result }
}

#[derive(Debug)]
struct Fake(FakeMachines);

#[async_trait]
impl Machines for Fake {
    fn about(&self) -> About {
        self.0.about()
    }
    async fn look(&self) -> Result<Vec<Sight>, MachineError> {
        self.0.look().await
    }
    async fn define(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        self.0.define(spec).await
    }
    async fn power(&self, vm: VmId, act: PowerAct) -> Result<(), MachineError> {
        self.0.power(vm, act).await
    }
    async fn snapshot(&self, vm: VmId, act: SnapshotAct) -> Result<(), MachineError> {
        self.0.snapshot(vm, act).await
    }
    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError> {
        Machines::grow(&self.0, vm, disk, bytes).await
    }
    async fn remove(&self, vm: VmId) -> Result<(), MachineError> {
        Machines::remove(&self.0, vm).await
    }
}

#[async_trait]
impl Driver for Fake {
    async fn socket(&self, vm: VmId, _: Channel) -> Result<PathBuf, MachineError> {
        Ok(PathBuf::from(format!("/sockets/{vm}")))
    }
    async fn screenshot(&self, _: VmId) -> Result<Vec<u8>, MachineError> {
        Ok(vec![0x89; 100_000])
    }
}

/// A node's end whose line goes to this driver until it is aborted.
fn line(fake: &FakeMachines) -> (Helper, tokio::task::AbortHandle) {
    let (ours, theirs) = tokio::io::duplex(1_000);
    let driver = Arc::new(Fake(fake.clone()));
    tokio::spawn(serve(theirs, driver, None));
    on(ours)
}

/// A node's end on this line, with no process.
fn on(stream: tokio::io::DuplexStream) -> (Helper, tokio::task::AbortHandle) {
    let shared = Arc::new(Shared {
        desk: Desk::new(),
        state: watch::Sender::new(State::Beginning),
    });
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let kept = Arc::clone(&shared);
    let keeping = async move {
        let begun = |hello| drop(kept.state.send_replace(State::of(hello)));
        let why = kept.desk.keep(stream, PATIENCE, begun).await;
        kept.state.send_replace(State::Away(why));
    };
    let keeping = tokio::spawn(keeping).abort_handle();
    let helper = Helper(Arc::new(Handle {
        shared,
        _stop_at_drop: stop.clone().drop_guard(),
        stop,
        tasks,
    }));
    (helper, keeping)
}

fn is_away<T: std::fmt::Debug>(result: &Result<T, MachineError>) -> bool {
    matches!(result, Err(MachineError::Away(_)))
}
