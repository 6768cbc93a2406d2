//! The alarm: a thread that sees calls that did not stop although they had to.
//!
//! The engine looks at the clock while it runs a script, and in most of its
//! own loops, but not in all: `[].reverse.call({length: 2 ** 53 - 1})` computes
//! for years. A thread cannot be killed, so whoever is alarmed has to end the
//! process. The thread sleeps for good while nothing is watched, and goes on
//! for a while after the last call, so that a busy function does not pay for
//! waking it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// Looks without a call after which it falls asleep.
const IDLE_LOOKS: u32 = 10;

/// A handle on the alarm; the thread ends when it is dropped.
#[derive(Debug)]
pub struct Alarm(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    calls: Mutex<Calls>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Calls {
    next: u64,
    due: HashMap<u64, Instant>,
    asleep: bool,
    closed: bool,
}

/// A call that is watched until this is dropped.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    id: u64,
}

impl Alarm {
    /// Starts the thread. `ring` is called when a call is overdue.
    pub fn start(ring: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let seen = Arc::clone(&shared);
        thread::Builder::new()
            .name("js-alarm".to_owned())
            .stack_size(64 << 10)
            .spawn(move || look(&seen, &ring))?;
        Ok(Self(shared))
    }

    /// Watches over a call that must have ended by then.
    pub fn watch(&self, due: Instant) -> Watch {
        let mut calls = self.0.calls();
        let id = calls.next;
        calls.next += 1;
        calls.due.insert(id, due);
        if std::mem::take(&mut calls.asleep) {
            self.0.wake.notify_one();
        }
        let shared = Arc::clone(&self.0);
        Watch { shared, id }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.calls().closed = true;
        self.0.wake.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.calls().due.remove(&self.id);
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look(shared: &Shared, ring: &impl Fn()) {
    let mut idle = 0;
    let mut calls = shared.calls();
    while !calls.closed {
        let now = Instant::now();
        let overdue = calls.due.values().any(|due| *due <= now);
        if overdue {
            ring();
        }
        idle = if calls.due.is_empty() { idle + 1 } else { 0 };
        calls = if idle > IDLE_LOOKS {
            idle = 0;
            calls.asleep = true;
            let woken = shared.wake.wait(calls);
            woken.unwrap_or_else(PoisonError::into_inner)
        } else {
            let looked = shared.wake.wait_timeout(calls, LOOK);
            looked.unwrap_or_else(PoisonError::into_inner).0
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn only_an_overdue_call_rings() {
        let (rang, heard) = mpsc::channel();
        let alarm = Alarm::start(move || rang.send(()).unwrap_or_default()).unwrap();
        drop(alarm.watch(Instant::now()));
        let _later = alarm.watch(Instant::now() + Duration::from_hours(1));
        assert!(heard.recv_timeout(LOOK * 3).is_err());
        let _overdue = alarm.watch(Instant::now());
        heard.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn it_wakes_up_again_after_a_long_rest() {
        let (rang, heard) = mpsc::channel();
        let alarm = Alarm::start(move || rang.send(()).unwrap_or_default()).unwrap();
        let rests = || alarm.0.calls().asleep;
        let began = Instant::now();
        while !rests() {
            assert!(began.elapsed() < Duration::from_secs(20), "it never rests");
            thread::sleep(LOOK);
        }
        let _overdue = alarm.watch(Instant::now());
        heard.recv_timeout(Duration::from_secs(20)).unwrap();
    }
}
