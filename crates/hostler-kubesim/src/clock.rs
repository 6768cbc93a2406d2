//! The cluster's time: stepped by the test, or real time at a chosen speed.
//!
//! It begins at the whole second of the start and never goes back.

use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound as _, Utc};

/// How the cluster's time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Only in [`crate::Cluster::step`].
    Stepped,
    /// By itself, so many times as fast as real time.
    Times(f64),
}

#[derive(Debug)]
pub(crate) struct Clock {
    pace: Pace,
    begun: Instant,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl Clock {
    pub(crate) fn new(pace: Pace) -> Self {
        let start = Utc::now().trunc_subsecs(0);
        Self {
            pace,
            begun: Instant::now(),
            start,
            now: start,
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Goes on to a moment; one that has passed changes nothing.
    pub(crate) fn set(&mut self, at: DateTime<Utc>) {
        self.now = self.now.max(at);
    }

    /// Puts the time that runs by itself forward.
    pub(crate) fn leap(&mut self, span: Duration) {
        self.start += span;
    }

    /// Where the time has come to by itself.
    pub(crate) fn running(&self) -> DateTime<Utc> {
        match self.pace {
            Pace::Stepped => self.now,
            Pace::Times(speed) => self.start + self.begun.elapsed().mul_f64(speed),
        }
    }

    /// How long in real time until a moment; none when only a step brings it.
    pub(crate) fn until(&self, at: DateTime<Utc>) -> Option<Duration> {
        match self.pace {
            Pace::Stepped => None,
            Pace::Times(speed) => {
                let span = (at - self.running()).to_std().unwrap_or_default();
                Some(span.div_f64(speed))
            }
        }
    }
}
