//! Working on a line: take what has gathered, look again, send, hand answers
//! on. The first call that does not get through ends the attempt: whoever
//! waits behind it would not get through either, and is asked for again.

use std::collections::BTreeMap;

use futures::{Stream, StreamExt, stream};
use hostler_core::id::{NodeId, WorkloadId};
use hostler_store::{StoreError, WorkloadRow};
use hostler_wire::client::{ClientError, NodeClient};
use hostler_wire::node_api::{Ensure, Entry};

use super::NodeCalls;
use super::answers::Answer;
use super::flights::Flight;
use super::line::{Line, LineError, Waiting};
use super::order;
use crate::http::error::chain;
use crate::state::App;

/// How many orders a node is sent at a time.
const AT_ONCE: usize = 16;

/// Why orders brought no answers.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("reading what to order")]
    Store(#[from] StoreError),
    #[error("finding the way to the node")]
    Line(#[from] LineError),
    #[error("the node was not reached")]
    Call(#[from] ClientError),
}

type Sent = (Result<Entry, ClientError>, Flight);

impl NodeCalls {
    /// Works until the line is empty.
    pub(super) async fn work(&self, app: &App, node: NodeId, line: &Line) {
        while let Some(waiting) = line.take() {
            let Err(error) = self.send(app, node, line, waiting).await else {
                continue;
            };
            metrics::counter!("hostler_orders_failed_total").increment(1);
            tracing::warn!(%node, error = %chain(&error), "orders to a node failed");
            line.give_up();
        }
    }

    async fn send(
        &self,
        app: &App,
        node: NodeId,
        line: &Line,
        waiting: Vec<Waiting>,
    ) -> Result<(), SendError> {
        // The node before the workloads: an order never names a heartbeat
        // younger than the seat it is about.
        let Some(known) = app.store.node_get(node).await? else {
            return Ok(());
        };
        let client = line.client(&app.store, &known).await?;
        let ids: Vec<_> = waiting
            .iter()
            .map(|(_, flight)| flight.workload())
            .collect();
        let rows = app.store.workload_many(&ids).await?;
        let rows: BTreeMap<WorkloadId, WorkloadRow> =
            rows.into_iter().map(|row| (row.facts.id, row)).collect();
        let mut ready = Vec::with_capacity(waiting.len());
        for (order, flight) in waiting {
            let row = rows.get(&flight.workload());
            let decided = order::decide(order, &known, row, app.now(), &app.timing);
            if let Some(decided) = decided {
                let ensure = order::ensure(app, &known, row, decided).await?;
                ready.push((ensure, flight));
            }
        }
        let calls = self.call(&client, ready);
        self.hand_on(node, calls).await
    }

    fn call<'a>(
        &'a self,
        client: &'a NodeClient,
        ready: Vec<(Ensure, Flight)>,
    ) -> impl Stream<Item = Sent> + 'a {
        let call = async move |(ensure, flight): (Ensure, Flight)| {
            let answer = client
                .ensure(flight.workload(), &ensure, self.deadline)
                .await;
            (answer, flight)
        };
        stream::iter(ready).map(call).buffer_unordered(AT_ONCE)
    }

    async fn hand_on(
        &self,
        node: NodeId,
        calls: impl Stream<Item = Sent>,
    ) -> Result<(), SendError> {
        let mut calls = std::pin::pin!(calls);
        while let Some((answer, flight)) = calls.next().await {
            let workload = flight.workload();
            match answer {
                Ok(entry) => {
                    let answer = Answer::new(node, entry, flight);
                    // Nobody writes it down any more: the process ends.
                    let _ = self.answers.send(answer).await;
                }
                Err(error @ ClientError::Transport(_)) => return Err(error.into()),
                Err(error) => {
                    metrics::counter!("hostler_orders_refused_total").increment(1);
                    let error = chain(&error);
                    tracing::warn!(%node, %workload, %error, "a node refused an order");
                }
            }
        }
        Ok(())
    }
}
