//! What nodes answer, written down in batches: while one batch is written, the
//! next one gathers. A batch that fails is dropped; the node says the same in
//! its next heartbeat.

use std::collections::BTreeMap;

use hostler_core::id::NodeId;
use hostler_store::SeenEntry;
use hostler_wire::node_api::Entry;
use tokio::sync::mpsc;

use super::flights::Flight;
use crate::http::error::chain;
use crate::state::App;

/// The most answers in one batch, and waiting for one.
pub(crate) const BATCH: usize = 512;

/// One node's answer about one workload.
pub(crate) struct Answer {
    node: NodeId,
    entry: Entry,
    /// The order is under way until its answer is written down, so that no
    /// pass sends it again because it looked too early.
    flight: Flight,
}

impl Answer {
    pub(super) const fn new(node: NodeId, entry: Entry, flight: Flight) -> Self {
        Self {
            node,
            entry,
            flight,
        }
    }
}

/// Writes answers down until nobody can send any more.
pub(crate) async fn answers(app: App, mut incoming: mpsc::Receiver<Answer>) {
    let mut batch = Vec::with_capacity(BATCH);
    let stop = app.stop.clone();
    loop {
        let more = stop
            .run_until_cancelled(incoming.recv_many(&mut batch, BATCH))
            .await;
        if more.is_none_or(|count| count == 0) {
            return;
        }
        let mut waiting = Vec::with_capacity(batch.len());
        let mut by_node: BTreeMap<NodeId, Vec<SeenEntry>> = BTreeMap::new();
        for answer in batch.drain(..) {
            by_node
                .entry(answer.node)
                .or_default()
                .push(seen_entry(answer.entry));
            waiting.push(answer.flight);
        }
        for (node, entries) in by_node {
            write(&app, node, &entries).await;
        }
        drop(waiting);
    }
}

async fn write(app: &App, node: NodeId, entries: &[SeenEntry]) {
    match app
        .store
        .workload_seen(app.now(), node, entries, None)
        .await
    {
        Ok(changed) if changed.is_empty() => {}
        Ok(_) => app.passes.wake(),
        Err(error) => {
            let error = chain(&error);
            tracing::error!(%node, %error, "what a node answered could not be written down");
        }
    }
}

/// An entry of a node's ledger, as the store takes it.
pub(crate) fn seen_entry(entry: Entry) -> SeenEntry {
    SeenEntry {
        id: entry.id,
        generation: entry.generation,
        state: entry.state,
        slot: entry.slot,
        restarts: entry.restarts,
        problem: entry.problem,
    }
}
