//! The process's end of the line: says hello, then answers whatever is asked,
//! each question on a task of its own, until the node closes the line or dies.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::BASE64;
use futures::{SinkExt as _, StreamExt as _};
use hostler_core::id::VmId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::codec::Framed;

use super::frames::{self, FrameError};
use super::words::{Answered, Asked, Call, Hello, Problem, SPEECH, Value};
use crate::hypervisor::machines::{Channel, MachineError, Machines};

/// A driver that can be in a process of its own: its lines to machines are
/// sockets in the file system, to which the node connects itself.
#[async_trait]
pub trait Driver: Machines + Debug {
    /// The socket of a machine's screen or serial line.
    async fn socket(&self, vm: VmId, channel: Channel) -> Result<PathBuf, MachineError>;

    /// What its screen shows, as PNG.
    async fn screenshot(&self, vm: VmId) -> Result<Vec<u8>, MachineError>;
}

/// The line cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It broke.
    #[error("could not answer the node")]
    Line(#[from] std::io::Error),
    /// What came is no question.
    #[error("the node speaks nonsense: {0}")]
    Nonsense(String),
}

/// Answers for this driver until the line ends. `away` says why whoever it
/// drives does not answer now, if so.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite,
    driver: Arc<dyn Driver>,
    away: Option<String>,
) -> Result<(), ServeError> {
    let (mut sink, mut source) = Framed::new(stream, frames::codec()).split();
    let hello = Hello {
        speech: SPEECH,
        about: driver.about(),
        away,
    };
    let hello = frames::pack(&hello).map_err(|error| ServeError::Nonsense(error.to_string()))?;
    sink.send(hello).await?;
    let (answers, mut ready) = mpsc::unbounded_channel::<Bytes>();
    let hears = async {
        // With this function all that it does ends.
        let mut calls = JoinSet::new();
        loop {
            let asked = frames::heard::<Asked>(source.next().await);
            let Some(asked) = asked.map_err(ServeError::Nonsense)? else {
                return Ok(());
            };
            while calls.try_join_next().is_some() {}
            let (driver, answers) = (Arc::clone(&driver), answers.clone());
            calls.spawn(async move { answers.send(answer(driver.as_ref(), asked).await) });
        }
    };
    let says = async {
        while let Some(answer) = ready.recv().await {
            sink.send(answer).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = hears => ended,
        broke = says => broke,
    }
}

async fn answer(driver: &dyn Driver, asked: Asked) -> Bytes {
    let id = asked.id;
    let result = done(driver, asked.call).await.map_err(Problem::from);
    packed(id, result).unwrap_or_else(|error| {
        let text = format!("the answer cannot be sent: {error}");
        packed(id, Err(Problem::Failed(text))).unwrap_or_default()
    })
}

fn packed(id: u64, result: Result<Value, Problem>) -> Result<Bytes, FrameError> {
    frames::pack(&Answered { id, result })
}

async fn done(driver: &dyn Driver, call: Call) -> Result<Value, MachineError> {
    match call {
        Call::Look => return driver.look().await.map(Value::Machines),
        Call::Socket { vm, channel } => {
            return driver.socket(vm, channel).await.map(Value::Socket);
        }
        Call::Screenshot { vm } => {
            let png = driver.screenshot(vm).await?;
            return Ok(Value::Picture(BASE64.encode(&png)));
        }
        Call::Define(spec) => driver.define(&spec).await,
        Call::Power { vm, act } => driver.power(vm, act).await,
        Call::Snapshot { vm, act } => driver.snapshot(vm, act).await,
        Call::Grow { vm, disk, bytes } => driver.grow(vm, &disk, bytes).await,
        Call::Remove { vm } => driver.remove(vm).await,
    }?;
    Ok(Value::Done)
}
