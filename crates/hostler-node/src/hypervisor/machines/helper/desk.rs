//! The calls in flight. While there is a line to the driver's process, calls go
//! out on it at once and wait for their answers; when the line ends, all of them
//! fail, and so does what is asked until there is another.
//!
//! What must never happen: a call that waits for an answer that cannot come any
//! more; an answer given to another call than its own.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::Framed;

use super::frames;
use super::words::{Answered, Asked, Call, Hello, Problem, SPEECH, Value};
use crate::hypervisor::machines::MachineError;

type Answer = Result<Value, Problem>;

/// All calls in flight.
#[derive(Debug)]
pub(super) struct Desk(Mutex<Open>);

#[derive(Debug)]
struct Open {
    line: Option<mpsc::UnboundedSender<Bytes>>,
    /// Why there is no line.
    why: String,
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
}

/// Takes its call off the desk when nobody waits any more.
struct Waits<'a>(&'a Desk, u64);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.open().waiting.remove(&self.1);
    }
}

impl Desk {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Open {
            line: None,
            why: "the driver of VMs has not begun yet".to_owned(),
            next: 0,
            waiting: HashMap::new(),
        }))
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, call: Call) -> Result<Value, MachineError> {
        let (answer, answered) = oneshot::channel();
        let id = self.post(call, answer)?;
        let _waits = Waits(self, id);
        match answered.await {
            Ok(result) => result.map_err(MachineError::from),
            Err(_) => Err(MachineError::Away(self.open().why.clone())),
        }
    }

    fn post(&self, call: Call, answer: oneshot::Sender<Answer>) -> Result<u64, MachineError> {
        let mut open = self.open();
        let gone = || MachineError::Away(open.why.clone());
        let line = open.line.clone().ok_or_else(gone)?;
        let id = open.next;
        let packed = frames::pack(&Asked { id, call });
        let refused = |error| MachineError::Refused(format!("the driver cannot be asked: {error}"));
        line.send(packed.map_err(refused)?).map_err(|_| gone())?;
        open.next += 1;
        open.waiting.insert(id, answer);
        Ok(id)
    }

    /// Keeps a line until it ends; why it did. `begun` is told the first word,
    /// which must come within this time.
    pub(super) async fn keep(
        &self,
        stream: impl AsyncRead + AsyncWrite,
        hello_within: Duration,
        begun: impl FnOnce(Hello),
    ) -> String {
        let (sink, mut source) = Framed::new(stream, frames::codec()).split();
        let first = tokio::time::timeout(hello_within, hello(&mut source)).await;
        let silent = |_| {
            Err(format!(
                "the driver of VMs said nothing for {hello_within:?}"
            ))
        };
        let why = match first.unwrap_or_else(silent) {
            Ok(hello) => {
                let (line, words) = mpsc::unbounded_channel();
                self.open().line = Some(line);
                begun(hello);
                tokio::select! {
                    why = self.hear(source) => why,
                    why = say(sink, words) => why,
                }
            }
            Err(why) => why,
        };
        self.end(&why);
        why
    }

    async fn hear(&self, mut source: impl Stream<Item = io::Result<BytesMut>> + Unpin) -> String {
        loop {
            match frames::heard::<Answered>(source.next().await) {
                Ok(Some(answered)) => {
                    let waiting = self.open().waiting.remove(&answered.id);
                    if let Some(waiting) = waiting {
                        // Whoever asked may go at this very moment.
                        waiting.send(answered.result).ok();
                    }
                }
                Ok(None) => return "the driver of VMs has ended".to_owned(),
                Err(why) => return format!("the driver of VMs speaks nonsense: {why}"),
            }
        }
    }

    /// There is no line any more, for this reason.
    pub(super) fn end(&self, why: &str) {
        let mut open = self.open();
        open.line = None;
        why.clone_into(&mut open.why);
        // Whoever waits hears that nobody will answer.
        open.waiting.clear();
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.open().waiting.len()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn hello(
    source: &mut (impl Stream<Item = io::Result<BytesMut>> + Unpin),
) -> Result<Hello, String> {
    let hello = frames::heard::<Hello>(source.next().await)?;
    let hello = hello.ok_or_else(|| "the driver of VMs did not begin".to_owned())?;
    if hello.speech == SPEECH {
        return Ok(hello);
    }
    let text = "the driver of VMs is of another version: install both programs of one build";
    Err(text.to_owned())
}

async fn say(
    mut sink: impl Sink<Bytes, Error = io::Error> + Unpin,
    mut words: mpsc::UnboundedReceiver<Bytes>,
) -> String {
    while let Some(word) = words.recv().await {
        if let Err(error) = sink.send(word).await {
            return format!("the driver of VMs does not listen: {error}");
        }
    }
    // Only [`Desk::end`] lets go of the other end.
    std::future::pending().await
}
