//! The clock of leases: it never steps back, and counts while the machine
//! sleeps (`CLOCK_BOOTTIME`). A moment is the time since the kernel's start.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A source of moments.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Machine,
    /// The runtime's clock, which tests can pause.
    Runtime(tokio::time::Instant),
}

impl Clock {
    /// A clock that begins now and follows the runtime's time, so that a test
    /// can pause and advance it.
    pub fn of_runtime() -> Self {
        Self(Source::Runtime(tokio::time::Instant::now()))
    }

    /// The present moment.
    pub fn now(&self) -> Duration {
        match self.0 {
            Source::Machine => {
                let time = clock_gettime(ClockId::Boottime);
                let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
                Duration::new(time.tv_sec.unsigned_abs(), nanos)
            }
            Source::Runtime(start) => start.elapsed(),
        }
    }
}

/// Names this start of the kernel; moments of another one mean nothing here.
pub(crate) fn kernel_boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_clock_moves_forward() {
        let clock = Clock::default();
        let before = clock.now();
        assert!(before > Duration::ZERO);
        assert!(clock.now() >= before);
    }

    #[tokio::test(start_paused = true)]
    async fn the_runtime_clock_follows_a_paused_runtime() {
        let clock = Clock::of_runtime();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now(), Duration::from_secs(5));
    }
}
