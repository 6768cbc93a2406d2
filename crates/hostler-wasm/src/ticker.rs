//! The engine's clock: a thread that advances the epoch while calls are under
//! way, so that compiled code pauses and its time can be looked at.
//!
//! It sleeps for good when there is nothing to watch, and it goes on for a
//! while after the last call, so that a busy function does not pay for waking
//! it every time. The order of the two atomics matters: a call announces
//! itself before it looks whether the thread is awake, the thread declares
//! itself asleep before it looks for calls, so one of them sees the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How often the epoch advances: how exact time limits are, and how long a call
/// may keep its thread.
const TICK: Duration = Duration::from_millis(10);

/// Ticks without a call after which the thread falls asleep.
const IDLE_TICKS: u32 = 100;

/// A handle on the clock; the thread ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    calls: AtomicUsize,
    awake: AtomicBool,
    closed: AtomicBool,
}

/// A call under way; the clock runs at least until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch<'a>(&'a Shared);

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (engine, seen) = (engine.clone(), Arc::clone(&shared));
        let handle = thread::Builder::new()
            .name("wasm-clock".to_owned())
            .stack_size(64 << 10)
            .spawn(move || tick(&engine, &seen))?;
        let thread = handle.thread().clone();
        Ok(Self { shared, thread })
    }

    pub(crate) fn watch(&self) -> Watch<'_> {
        self.shared.calls.fetch_add(1, SeqCst);
        if !self.shared.awake.swap(true, SeqCst) {
            self.thread.unpark();
        }
        Watch(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.closed.store(true, SeqCst);
        self.thread.unpark();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, SeqCst);
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    let mut idle = 0;
    while !shared.closed.load(SeqCst) {
        if idle < IDLE_TICKS {
            thread::sleep(TICK);
            engine.increment_epoch();
            let busy = shared.calls.load(SeqCst) > 0;
            idle = if busy { 0 } else { idle + 1 };
            continue;
        }
        shared.awake.store(false, SeqCst);
        if shared.calls.load(SeqCst) == 0 {
            thread::park();
        }
        shared.awake.store(true, SeqCst);
        idle = 0;
    }
}
