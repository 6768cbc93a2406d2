//! The one place where the manager reads a clock.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hostler_core::Timestamp;

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The time of day at the start of the process, and from then on the time that
/// has really passed: a clock that is set in between moves no deadline.
pub fn steady() -> Clock {
    let (began, then) = (Instant::now(), wall());
    Arc::new(move || then + began.elapsed())
}

fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_ms(0) + since.unwrap_or(Duration::ZERO)
}
