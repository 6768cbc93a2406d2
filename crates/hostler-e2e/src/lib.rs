//! What whole stories are told with: real fleets in folders of their own, a
//! witness that counts what really runs, and a wire that can be cut.
//!
//! Nothing here waits a fixed time: [`eventually`] looks until a thing is so,
//! and fails when it is not so in time. Nothing here ships.

pub mod fleet;
pub mod machines;
pub mod nats;
pub mod processes;
pub mod programs;
pub mod proxy;
pub mod witness;

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long a thing may take on a busy machine with two cores. Nothing takes
/// this long on one that is not; what never happens is only told later.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Looks until `look` finds something; fails after [`PATIENCE`], saying what
/// was waited for.
pub async fn eventually<T, F, Fut>(what: &str, mut look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if started.elapsed() > PATIENCE {
            bail!("waited {} s in vain: {what}", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
