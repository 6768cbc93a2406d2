//! Pauses between attempts: doubling, bounded, with jitter, so that many
//! nodes that lost the same thing do not come back for it at once.

use std::time::Duration;

/// A row of pauses.
#[derive(Clone, Debug)]
pub(crate) struct Backoff(hostler_daemon::backoff::Backoff);

impl Backoff {
    /// Pauses from about `first` up to about `longest`.
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self(hostler_daemon::backoff::Backoff::new(first, longest))
    }

    /// The next pause: between half and all of the doubled one.
    pub(crate) fn next(&mut self) -> Duration {
        self.0.pause().mul_f64(rand::random_range(0.5..1.0))
    }

    /// Begins anew after a success.
    pub(crate) const fn reset(&mut self) {
        self.0.reset();
    }
}
