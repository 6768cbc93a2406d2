//! The scheduler's fleet as this pass keeps it between runs, so that a run
//! costs what has changed. It is only ever a help in choosing: every seat is
//! given by a conditional update in the store, and when that disagrees, the
//! board is filled anew.

use std::collections::BTreeSet;
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::id::NodeId;
use hostler_core::placement::{Fleet, Refusal, Unit};
use hostler_store::{Fence, StoreError};

use super::Views;
use crate::passes::fleet::{put_node, seat_all};
use crate::state::App;

/// After this long the board is filled anew in any case.
const TRUSTED: Duration = Duration::from_mins(5);

/// A fleet, and since when it is kept up to date.
pub(super) struct Board {
    fleet: Fleet,
    nodes: BTreeSet<NodeId>,
    /// Under which lease it was filled, and when.
    filled: Option<(Fence, Timestamp)>,
}

impl Board {
    pub(super) fn new(app: &App) -> Self {
        Self {
            fleet: Fleet::new(app.placing.policy, app.placing.overcommits.clone()),
            nodes: BTreeSet::new(),
            filled: None,
        }
    }

    /// Fills it anew at the next run.
    pub(super) fn forget(&mut self) {
        self.filled = None;
    }

    /// Brings it up to date for a run under this lease. Under another lease
    /// somebody else has seated in between.
    pub(super) async fn renew(
        &mut self,
        app: &App,
        views: &Views,
        fence: &Fence,
    ) -> Result<(), StoreError> {
        let now = app.now();
        let fresh = |(held, at): &(Fence, Timestamp)| held == fence && now.since(*at) < TRUSTED;
        let keep = self.filled.as_ref().is_some_and(fresh);
        if !keep {
            *self = Self::new(app);
        }
        for node in self.nodes.iter().filter(|node| views.row(**node).is_none()) {
            self.fleet.node_drop(*node);
        }
        for (_, row) in views.0.values() {
            put_node(app, &mut self.fleet, row);
        }
        self.nodes = views.0.keys().copied().collect();
        if !keep {
            seat_all(app, &mut self.fleet).await?;
            self.filled = Some((fence.clone(), now));
        }
        Ok(())
    }

    /// Chooses a node for a unit and seats it there, on the board.
    pub(super) fn choose(&mut self, unit: &Unit) -> Result<NodeId, Refusal> {
        let node = self.fleet.place(unit)?;
        self.fleet.unit_seat(unit, node);
        Ok(node)
    }

    /// A unit has lost its seat.
    pub(super) fn unseat(&mut self, unit: &Unit, node: NodeId) {
        self.fleet.unit_unseat(unit, node);
    }
}
