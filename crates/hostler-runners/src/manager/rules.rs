//! How a manager is configured, apart from what it works with.

use std::time::Duration;

use hostler_core::runner::StatusRules;
use hostler_core::runner::job::{JobRules, WaitFor};

/// How a manager is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// This manager's name: the same after a restart, and no other's.
    pub name: String,
    /// The most runners one request may add.
    pub max_add: u32,
    /// Never fewer runners than these, however many are to be removed.
    pub min_runners: u32,
    /// How long a job waits.
    pub wait: Duration,
    /// What a job waits for.
    pub wait_for: WaitFor,
    /// What becomes of what was given up, or lost.
    pub jobs: JobRules,
    /// What it takes to be ready, or failed.
    pub status: StatusRules,
    /// How long a provider that does not answer is asked again, before the
    /// request is taken back.
    pub ask_patience: Duration,
    /// How long a job is kept when nothing is left of it.
    pub keep: Duration,
    /// How long a lost runner is still shown.
    pub keep_lost: Duration,
    /// How long work has to leave a runner, if the request does not say.
    pub drain: Duration,
    /// How often the book is read again, where others write it too.
    pub book_poll: Option<Duration>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            name: "runner-manager".to_owned(),
            max_add: 100,
            min_runners: 0,
            wait: Duration::from_mins(10),
            wait_for: WaitFor::Scheduled,
            jobs: JobRules::default(),
            status: StatusRules::default(),
            ask_patience: Duration::from_secs(10),
            keep: Duration::from_hours(24),
            keep_lost: Duration::from_mins(10),
            drain: Duration::from_mins(10),
            book_poll: None,
        }
    }
}
