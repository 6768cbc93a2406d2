//! The agent's pulse, on a thread of its own. A task ticks; when it has not
//! ticked for ten seconds, the runtime is stuck, the agent can neither serve
//! nor be stopped, and the process ends, so that the node sees it. What runs
//! in it ends with it.
//!
//! The thread counts its own looks and never compares clocks: a machine that
//! was suspended must not be taken for a stuck runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_secs(2);

/// Looks in a row without a tick before the process ends.
const PATIENCE: u32 = 5;

/// Starts both; the task belongs to the current runtime.
pub(crate) fn start() -> std::io::Result<()> {
    let ticks = Arc::<AtomicU64>::default();
    let seen = Arc::clone(&ticks);
    thread::Builder::new()
        .name("pulse".to_owned())
        .stack_size(64 << 10)
        .spawn(move || watch(&seen))?;
    tokio::spawn(async move {
        loop {
            ticks.fetch_add(1, Relaxed);
            tokio::time::sleep(TICK).await;
        }
    });
    Ok(())
}

fn watch(ticks: &AtomicU64) {
    let mut pulse = Pulse::default();
    while !pulse.stopped(ticks.load(Relaxed)) {
        thread::sleep(LOOK);
    }
    tracing::error!("the runtime is stuck; ending the agent");
    std::process::exit(i32::from(crate::STATUS_BROKEN));
}

#[derive(Default)]
struct Pulse {
    last: u64,
    missed: u32,
}

impl Pulse {
    /// Whether it has stopped for good, given the ticks at this look.
    fn stopped(&mut self, ticks: u64) -> bool {
        self.missed = if ticks == self.last {
            self.missed + 1
        } else {
            0
        };
        self.last = ticks;
        self.missed > PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_has_stopped_after_six_looks_without_a_tick() {
        let mut pulse = Pulse::default();
        let mut look = |ticks| pulse.stopped(ticks);
        assert!(!look(1));
        assert!((0..5).all(|_| !look(1)));
        assert!(!look(2));
        assert!((0..5).all(|_| !look(2)));
        assert!(look(2));
    }
}
