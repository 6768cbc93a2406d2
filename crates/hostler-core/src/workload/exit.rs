//! What becomes of a service whose process ended by itself.

use std::time::Duration;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; -1 when a signal ended it or it never started.
    pub code: i32,
    /// How long it had run.
    pub ran: Duration,
}

/// How often and how fast an essential service is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The pause before the first restart; doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Restarts in a row before it is given up.
    pub limit: u32,
    /// After running this long, the count begins anew.
    pub settled_after: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(1),
            limit: 10,
            settled_after: Duration::from_mins(1),
        }
    }
}

/// What to do after an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterExit {
    /// It ended with success and is not started again.
    Ended,
    /// Start it again after a pause; this is the restart of that number.
    Restart {
        /// How long to wait.
        pause: Duration,
        /// The count of restarts in a row, this one included.
        restarts: u32,
    },
    /// It is not essential, or has failed too often.
    Failed,
}

/// The fate of a service that ended by itself after `restarts` restarts in a
/// row. Success never restarts; failure only restarts what is essential.
pub fn after_exit(exit: Exit, essential: bool, restarts: u32, policy: &RestartPolicy) -> AfterExit {
    if exit.code == 0 {
        return AfterExit::Ended;
    }
    let done = if exit.ran >= policy.settled_after {
        0
    } else {
        restarts
    };
    if !essential || done >= policy.limit {
        return AfterExit::Failed;
    }
    let factor = 1_u32.checked_shl(done).unwrap_or(u32::MAX);
    let pause = policy
        .first_pause
        .saturating_mul(factor)
        .min(policy.longest_pause);
    AfterExit::Restart {
        pause,
        restarts: done + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: i32, ran_s: u64) -> Exit {
        Exit {
            code,
            ran: Duration::from_secs(ran_s),
        }
    }

    fn restart(pause_ms: u64, restarts: u32) -> AfterExit {
        AfterExit::Restart {
            pause: Duration::from_millis(pause_ms),
            restarts,
        }
    }

    #[test]
    fn only_a_failed_essential_service_starts_again() {
        let policy = RestartPolicy::default();
        assert_eq!(after_exit(exit(0, 1), true, 0, &policy), AfterExit::Ended);
        assert_eq!(after_exit(exit(1, 1), false, 0, &policy), AfterExit::Failed);
        assert_eq!(after_exit(exit(1, 1), true, 0, &policy), restart(500, 1));
        assert_eq!(after_exit(exit(-1, 1), true, 3, &policy), restart(4_000, 4));
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_the_count_to_a_limit() {
        let policy = RestartPolicy {
            limit: 100,
            ..RestartPolicy::default()
        };
        assert_eq!(
            after_exit(exit(1, 0), true, 9, &policy),
            restart(60_000, 10)
        );
        assert_eq!(
            after_exit(exit(1, 0), true, 99, &policy),
            restart(60_000, 100)
        );
        assert_eq!(
            after_exit(exit(1, 0), true, 100, &policy),
            AfterExit::Failed
        );
    }

    #[test]
    fn a_long_run_clears_the_count() {
        let policy = RestartPolicy::default();
        assert_eq!(after_exit(exit(1, 60), true, 10, &policy), restart(500, 1));
    }
}
