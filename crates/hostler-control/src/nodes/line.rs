//! One node's line: its queue of orders, and the client that calls it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hostler_store::{NodeRow, Store, StoreError};
use hostler_wire::client::{ClientError, NodeClient};

use super::flights::Flight;
use super::order::Order;

/// How many orders are decided at a time.
const TOGETHER: usize = 64;

/// An order that waits for its turn.
pub(super) type Waiting = (Order, Flight);

/// A queue, and a way to the node.
#[derive(Default)]
pub(crate) struct Line {
    queue: Mutex<Queue>,
    client: Mutex<Option<(String, NodeClient)>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether a task works on it.
    is_worked_on: bool,
}

/// Why there is no way to a node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error("reading the node's key")]
    Store(#[from] StoreError),
    #[error("the node has no key")]
    NoKey,
    #[error("the node's address cannot be called")]
    Address(#[source] ClientError),
}

impl Line {
    /// Queues an order; whether the caller must set a task to work.
    pub(super) fn push(&self, order: Order, flight: Flight) -> bool {
        let mut queue = self.queue();
        queue.waiting.push_back((order, flight));
        !std::mem::replace(&mut queue.is_worked_on, true)
    }

    /// The next orders, or `None` with which the task ends.
    pub(super) fn take(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        let count = queue.waiting.len().min(TOGETHER);
        if count == 0 {
            queue.is_worked_on = false;
            return None;
        }
        Some(queue.waiting.drain(..count).collect())
    }

    /// Gives up what waits; passes will ask for it again.
    pub(super) fn give_up(&self) {
        let waiting = std::mem::take(&mut self.queue().waiting);
        drop(waiting);
    }

    /// The client of the node at its present address.
    pub(crate) async fn client(
        &self,
        store: &Store,
        node: &NodeRow,
    ) -> Result<NodeClient, LineError> {
        let base = base(node);
        let known = self.known().clone().filter(|(address, _)| *address == base);
        if let Some((_, client)) = known {
            return Ok(client);
        }
        let key = store
            .node_key(node.facts.id)
            .await?
            .ok_or(LineError::NoKey)?;
        let client = NodeClient::new(&base, key.expose()).map_err(LineError::Address)?;
        *self.known() = Some((base, client.clone()));
        Ok(client)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Option<(String, NodeClient)>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An IPv6 address stands in brackets in a URL.
fn base(node: &NodeRow) -> String {
    let is_v6 = node.hostname.parse::<std::net::Ipv6Addr>().is_ok();
    let (open, close) = if is_v6 { ("[", "]") } else { ("", "") };
    format!("http://{open}{}{close}:{}", node.hostname, node.port)
}
