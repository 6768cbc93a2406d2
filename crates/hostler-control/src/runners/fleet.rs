//! This fleet, as the runner manager sees it. Who its members are is told by
//! the pass that scales, after each of its looks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::id::NodeId;
use hostler_core::operation::OperationKind;
use hostler_core::runner::RunnerId;
use hostler_runners::fleet::{Fleet, FleetError, Members};
use hostler_store::{By, NewOperation, NodeLeaveError, Store};
use hostler_wire::convert::datetime;
use tokio::sync::watch;

use super::Ground;
use crate::http::error::chain;
use crate::options::Clock;
use crate::passes::Passes;

/// How long the work of a runner has to leave it.
const DRAIN: Duration = Duration::from_mins(10);

/// This fleet.
pub(super) struct StoreFleet {
    store: Store,
    clock: Clock,
    passes: Passes,
    members: watch::Sender<Arc<Members>>,
}

impl StoreFleet {
    pub(super) fn new(ground: &Ground, members: watch::Sender<Arc<Members>>) -> Self {
        Self {
            store: ground.store.clone(),
            clock: ground.clock.clone(),
            passes: ground.passes.clone(),
            members,
        }
    }

    fn by(&self) -> By<'static> {
        By::new("hostler", (self.clock)())
    }

    fn drain(&self, node: NodeId) -> NewOperation {
        let deadline = datetime((self.clock)() + DRAIN);
        NewOperation {
            kind: OperationKind::NodeDrain.to_string(),
            subject: node.to_string(),
            project: None,
            arguments: serde_json::json!({ "deadline": deadline }),
        }
    }

    async fn node(&self, id: &RunnerId) -> Result<Option<NodeId>, FleetError> {
        let row = self.store.node_by_runner(id).await;
        let row = row.map_err(|error| failed(&error))?;
        Ok(row.map(|row| row.facts.id))
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> FleetError {
    FleetError(chain(error))
}

#[async_trait]
impl Fleet for StoreFleet {
    fn members(&self) -> watch::Receiver<Arc<Members>> {
        self.members.subscribe()
    }

    async fn schedule(&self, id: &RunnerId, open: bool) -> Result<(), FleetError> {
        let done = if open {
            self.store.runner_open(&self.by(), id).await.map(|()| true)
        } else {
            let drain = |node| self.drain(node);
            self.store.runner_drain(&self.by(), id, drain).await
        };
        self.passes.wake_all();
        let is_done = done.map_err(|error| failed(&error))?;
        let called_off = || FleetError("its removal was called off".to_owned());
        is_done.then_some(()).ok_or_else(called_off)
    }

    async fn leave(&self, id: &RunnerId, force: bool) -> Result<(), FleetError> {
        let Some(node) = self.node(id).await?.filter(|_| !force) else {
            return Ok(());
        };
        match self.store.node_leave(&self.by(), node).await {
            Ok(()) | Err(NodeLeaveError::Unknown(_)) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn forget(&self, id: &RunnerId) -> Result<(), FleetError> {
        let Some(node) = self.node(id).await? else {
            return Ok(());
        };
        let removed = self.store.node_remove(&self.by(), node).await;
        removed.map_err(|error| failed(&error))?;
        self.passes.wake_all();
        Ok(())
    }
}
