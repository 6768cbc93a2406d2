//! Machines of ours that no job knows of are given back. Everything that a
//! provider shows with a mark is of this fleet: providers show only their own.

use std::collections::BTreeSet;
use std::time::Duration;

use hostler_core::runner::sweep::{Listed, sweep};
use hostler_core::runner::{RunnerFacts, RunnerId};
use hostler_store::{By, NewEvent};
use serde_json::json;

use super::look::Look;
use super::{Scaling, ScalingError};
use crate::runners::Runners;

/// How long a machine is suspected before it goes.
const APART: Duration = Duration::from_mins(1);
const OWNER: &str = "this fleet";

impl Scaling {
    /// Gives orphans back; how many.
    pub(super) async fn sweep(
        &mut self,
        look: &Look,
        runners: &Runners,
    ) -> Result<usize, ScalingError> {
        let listed: Vec<Listed> = look
            .snapshot
            .runners
            .values()
            .map(|one| list(one))
            .collect();
        let known = known(look);
        let before = (&self.memory.suspects, APART);
        let found = sweep(&listed, OWNER, &known, before, look.now);
        self.memory.suspects = found.suspects;
        for id in &found.release {
            self.release(look, runners, id).await?;
        }
        Ok(found.release.len())
    }

    /// Its node goes first, so that nothing more is placed there.
    async fn release(
        &self,
        look: &Look,
        runners: &Runners,
        id: &RunnerId,
    ) -> Result<(), ScalingError> {
        let by = By::new("hostler", look.now);
        if let Some(node) = look.nodes.get(id) {
            self.app.store.node_remove(&by, node.facts.id).await?;
        }
        let text = format!("no job knows of {id}; it is given back");
        tracing::warn!(runner = %id, "{text}");
        let event = NewEvent {
            kind: "runner.swept".to_owned(),
            project: None,
            subject: Some(id.to_string()),
            text,
            data: json!({}),
        };
        self.app.store.event_note(&by, event).await?;
        if let Err(error) = runners.options.provider.release(id).await {
            tracing::warn!(runner = %id, %error, "an orphan could not be given back yet");
        }
        Ok(())
    }
}

fn list(facts: &RunnerFacts) -> Listed {
    Listed {
        id: facts.id.clone(),
        owner: facts.mark.map(|_| OWNER.to_owned()),
        mark: facts.mark,
        is_terminating: facts.is_terminating,
    }
}

/// Runners that a job still answers for.
fn known(look: &Look) -> BTreeSet<RunnerId> {
    let items = look.jobs.iter().flat_map(|job| &job.items);
    let open = items.filter(|item| item.gone_at.is_none());
    open.map(|item| item.id.clone()).collect()
}
