//! A driver in a process of its own, so that this one maps none of its libraries,
//! starts where they are not, and lives on when they crash.
//!
//! [`Helper`] is the node's end: its calls are carried over a pair of sockets
//! ([`frames`], [`words`]) and are answered in any order ([`desk`]). The process
//! is begun again when it ends ([`life`]); what was in flight then fails as
//! [`MachineError::Away`], which says nothing of the machine, and is tried again.
//! [`serve`] is the other end. Files stay with the node: no library is needed for
//! them.
//!
//! What must never happen: a call that is done by two processes at once because
//! its first life still listens; a machine that ends with the process.

mod desk;
mod frames;
mod life;
mod serve;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64;
use hostler_core::id::VmId;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use life::HelperOptions;
pub use serve::{Driver, ServeError, serve};

use desk::Desk;
use words::{Call, Hello, Value};

use super::{
    About, Channel, MachineError, MachineSpec, Machines, PowerAct, Screens, Sight, SnapshotAct,
    Wire,
};

/// A driver in another process. Cloning gives another handle to the same; the
/// process ends with the last.
#[derive(Clone, Debug)]
pub struct Helper(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
    _stop_at_drop: DropGuard,
}

#[derive(Debug)]
struct Shared {
    desk: Desk,
    state: watch::Sender<State>,
}

/// What is known of the process.
#[derive(Clone, Debug)]
enum State {
    Beginning,
    /// It answers; whoever it drives may not (why).
    Speaks(About, Option<String>),
    Away(String),
}

impl State {
    fn of(hello: Hello) -> Self {
        Self::Speaks(hello.about, hello.away)
    }
}

impl Helper {
    /// Has the process begin, and begin again whenever it ends.
    pub fn start(options: HelperOptions) -> Self {
        let shared = Arc::new(Shared {
            desk: Desk::new(),
            state: watch::Sender::new(State::Beginning),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(life::keep(Arc::clone(&shared), options, stop.clone()));
        tasks.close();
        Self(Arc::new(Handle {
            shared,
            _stop_at_drop: stop.clone().drop_guard(),
            stop,
            tasks,
        }))
    }

    /// Waits for the first word: what the driver is, or why there is none.
    pub async fn begun(&self, within: Duration) -> Result<About, String> {
        let mut states = self.0.shared.state.subscribe();
        let first = states.wait_for(|state| !matches!(state, State::Beginning));
        let first = tokio::time::timeout(within, first).await;
        match first.map(|state| state.map(|state| state.clone())) {
            Ok(Ok(State::Speaks(about, None))) => Ok(about),
            Ok(Ok(State::Speaks(_, Some(why)) | State::Away(why))) => Err(why),
            _ => Err(format!("the driver of VMs said nothing for {within:?}")),
        }
    }

    /// Ends the process, and waits for its end. Machines run on.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
    }

    async fn do_it(&self, call: Call) -> Result<(), MachineError> {
        match self.ask(call).await? {
            Value::Done => Ok(()),
            other => Err(odd(&other)),
        }
    }

    async fn ask(&self, call: Call) -> Result<Value, MachineError> {
        self.0.shared.desk.ask(call).await
    }

    async fn socket(&self, vm: VmId, channel: Channel) -> Result<PathBuf, MachineError> {
        match self.ask(Call::Socket { vm, channel }).await? {
            Value::Socket(path) => Ok(path),
            other => Err(odd(&other)),
        }
    }
}

fn odd(value: &Value) -> MachineError {
    let kind = match value {
        Value::Done => "nothing",
        Value::Machines(_) => "machines",
        Value::Socket(_) => "a socket",
        Value::Picture(_) => "a picture",
    };
    MachineError::Away(format!("the driver of VMs answered with {kind}"))
}

#[async_trait]
impl Machines for Helper {
    /// What it said last; nothing before its first word.
    fn about(&self) -> About {
        match &*self.0.shared.state.borrow() {
            State::Speaks(about, _) => about.clone(),
            State::Beginning | State::Away(_) => About::default(),
        }
    }

    async fn look(&self) -> Result<Vec<Sight>, MachineError> {
        match self.ask(Call::Look).await? {
            Value::Machines(machines) => Ok(machines),
            other => Err(odd(&other)),
        }
    }

    async fn define(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        self.do_it(Call::Define(Box::new(spec.clone()))).await
    }

    async fn power(&self, vm: VmId, act: PowerAct) -> Result<(), MachineError> {
        self.do_it(Call::Power { vm, act }).await
    }

    async fn snapshot(&self, vm: VmId, act: SnapshotAct) -> Result<(), MachineError> {
        self.do_it(Call::Snapshot { vm, act }).await
    }

    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError> {
        let disk = disk.to_owned();
        self.do_it(Call::Grow { vm, disk, bytes }).await
    }

    async fn remove(&self, vm: VmId) -> Result<(), MachineError> {
        self.do_it(Call::Remove { vm }).await
    }
}

#[async_trait]
impl Screens for Helper {
    async fn open(&self, vm: VmId, channel: Channel) -> Result<Wire, MachineError> {
        let path = self.socket(vm, channel).await?;
        let stream = UnixStream::connect(&path).await.map_err(|error| {
            let text = format!("could not connect to {}: {error}", path.display());
            MachineError::Failed(text)
        })?;
        Ok(Box::pin(stream))
    }

    async fn screenshot(&self, vm: VmId) -> Result<Vec<u8>, MachineError> {
        match self.ask(Call::Screenshot { vm }).await? {
            Value::Picture(text) => {
                let bad = |error| MachineError::Away(format!("the picture is none: {error}"));
                BASE64.decode(text.as_bytes()).map_err(bad)
            }
            other => Err(odd(&other)),
        }
    }
}
