//! A compiled module and its calls. Every call has an instance of its own,
//! which nobody sees before or after it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Semaphore;
use wasmtime::{InstancePre, Store};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

use crate::RunError;
use crate::capture::{Capture, Overflow};
use crate::guest::{Guest, Meter};
use crate::host::Host;
use crate::ticker::Ticker;

/// What a function finds as its own name (protocol 6.9).
const PROGRAM: &str = "nexfunction";

/// What is kept of a call's stderr, in bytes.
const LOG_BYTES: usize = 32 << 10;

/// One message for a function.
#[derive(Clone)]
pub struct Call<'a> {
    /// The concrete subject of the message; `argv[1]`.
    pub subject: &'a str,
    /// The message; stdin.
    pub payload: Bytes,
    /// The whole environment, names unchanged.
    pub environment: &'a [(String, String)],
    /// What the call may use.
    pub limits: Limits,
    /// Who carries out what it asks; without one, nobody does.
    pub host: Option<Arc<dyn Host>>,
}

/// What a call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run, waiting included.
    pub time: Duration,
    /// How much memory it may have, in bytes.
    pub memory_bytes: usize,
    /// How much it may answer, in bytes.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            memory_bytes: 128 << 20,
            output_bytes: 1 << 20,
        }
    }
}

/// How a call went.
#[derive(Clone, Debug)]
pub struct Report {
    /// Everything written to stdout, never empty; or why there is no answer.
    pub answer: Result<Bytes, RunError>,
    /// The beginning of what was written to stderr.
    pub log: Bytes,
    /// How long the call took, without waiting for its turn.
    pub took: Duration,
}

/// A compiled module, ready to run.
pub struct Function {
    instance: InstancePre<Guest>,
    clock: Arc<Ticker>,
    places: Arc<Semaphore>,
}

impl Function {
    pub(crate) fn new(
        instance: InstancePre<Guest>,
        clock: Arc<Ticker>,
        places: Arc<Semaphore>,
    ) -> Self {
        Self {
            instance,
            clock,
            places,
        }
    }

    /// Runs the function once. Needs a tokio runtime with timers. A guest that
    /// computes gives the polling thread back at every tick, so it may be
    /// begun on one thread and, if it takes long, carried to another.
    pub async fn run(&self, call: Call<'_>) -> Report {
        let _place = self.places.acquire().await;
        let began = Instant::now();
        let stdout = Capture::new(call.limits.output_bytes, Overflow::Trap);
        let stderr = Capture::new(LOG_BYTES, Overflow::Drop);
        let mut store = self.store(&call, &stdout, &stderr);
        let ended = {
            let _watch = self.clock.watch();
            store.epoch_deadline_async_yield_and_update(1);
            store.set_epoch_deadline(1);
            tokio::time::timeout(call.limits.time, self.start(&mut store)).await
        };
        let refused = store.data().meter.refused();
        let (output, overflowed) = stdout.take();
        let answer = match ended {
            Err(_) => Err(RunError::TimedOut(call.limits.time)),
            Ok(Ok(())) => Ok(output),
            Ok(Err(_)) if overflowed => Err(RunError::TooMuchOutput(call.limits.output_bytes)),
            Ok(Err(failure)) => failure.judge(output, refused, call.limits),
        };
        Report {
            answer: answer.and_then(|bytes| {
                let empty = bytes.is_empty();
                if empty {
                    Err(RunError::Empty)
                } else {
                    Ok(bytes)
                }
            }),
            log: stderr.take().0,
            took: began.elapsed(),
        }
    }

    fn store(&self, call: &Call<'_>, stdout: &Capture, stderr: &Capture) -> Store<Guest> {
        let wasi = WasiCtxBuilder::new()
            .args(&[PROGRAM, call.subject])
            .envs(call.environment)
            .stdin(MemoryInputPipe::new(call.payload.clone()))
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .build_p1();
        let meter = Meter::new(call.limits.memory_bytes);
        let guest = Guest {
            wasi,
            meter,
            host: call.host.clone(),
            answers: Vec::new(),
        };
        let mut store = Store::new(self.instance.module().engine(), guest);
        store.limiter(|guest| &mut guest.meter);
        store
    }

    async fn start(&self, store: &mut Store<Guest>) -> Result<(), Failure> {
        let instance = self.instance.instantiate_async(&mut *store).await;
        let instance = instance.map_err(Failure::Instance)?;
        let start = instance.get_typed_func::<(), ()>(&mut *store, "_start");
        let start = start.map_err(Failure::Instance)?;
        start.call_async(store, ()).await.map_err(Failure::Call)
    }
}

/// Where a call ended early.
enum Failure {
    /// There was no instance to run; its own start function counts as this.
    Instance(wasmtime::Error),
    /// `_start` did not return.
    Call(wasmtime::Error),
}

impl Failure {
    /// What an early end means; `proc_exit(0)` is a good one.
    fn judge(self, output: Bytes, refused: bool, limits: Limits) -> Result<Bytes, RunError> {
        let (Self::Instance(error) | Self::Call(error)) = &self;
        let exit = error.downcast_ref::<I32Exit>().map(|exit| exit.0);
        if exit == Some(0) {
            return Ok(output);
        }
        if refused {
            return Err(RunError::OutOfMemory(limits.memory_bytes));
        }
        Err(match (exit, &self) {
            (Some(code), _) => RunError::Exited(code),
            (None, Self::Call(error)) => RunError::Trapped(error.root_cause().to_string()),
            (None, Self::Instance(error)) => RunError::NotStarted(format!("{error:#}")),
        })
    }
}
