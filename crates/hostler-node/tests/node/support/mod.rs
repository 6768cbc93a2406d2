//! What the tests stand on.

pub(crate) mod control;
mod nats;
pub(crate) mod node;
pub(crate) mod requester;

use std::future::Future;
use std::time::Duration;

pub(crate) use control::{ControlPlane, Mood};
pub(crate) use nats::ControlNats;
pub(crate) use node::{Ground, TestNode};
pub(crate) use requester::{Requester, deploy_error, stop_error};

/// Nothing here takes nearly this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// Waits until `look` gives something.
pub(crate) async fn eventually<T, F, L>(what: &str, mut look: L) -> T
where
    L: FnMut() -> F,
    F: Future<Output = Option<T>>,
{
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}"))
}
