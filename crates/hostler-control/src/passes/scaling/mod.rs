//! The pass that makes the fleet larger and smaller: it looks at work without a
//! seat, at the jobs and machines of each pool and at their nodes, asks core
//! what each pool is to have more or less, and writes that down as jobs, with
//! the reason as an event. The runner manager carries jobs out.
//!
//! Kept in memory is only what makes it slower when it is lost: since when work
//! waits, since when a node is idle, which machines are suspected.
//!
//! What must never happen: a decision on facts older than the pool's last
//! change; a machine of anybody else given back.

mod carry;
mod link;
mod look;
mod machines;
mod memory;
mod orphans;

use std::sync::Arc;

use hostler_core::runner::demand::plan;
use hostler_store::{Fence, FencedError, StoreError};

use super::lease::PassLease;
use super::{Outcome, Pass, PassError};
use crate::runners::Runners;
use crate::state::App;
use look::Look;
use memory::Memory;

/// The pass.
pub(crate) struct Scaling {
    app: App,
    lease: PassLease,
    memory: Memory,
}

/// Why a run could not be finished.
#[derive(Debug, thiserror::Error)]
enum ScalingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fenced(#[from] FencedError),
}

impl Scaling {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            lease: PassLease::new("pass.scaling"),
            memory: Memory::default(),
        }
    }

    async fn scale(&mut self, runners: &Runners, fence: &Fence) -> Result<usize, ScalingError> {
        let look = Look::take(&self.app, runners, &mut self.memory).await?;
        runners.members.send_if_modified(|members| {
            let seen = look.members();
            let is_new = **members != seen;
            if is_new {
                *members = Arc::new(seen);
            }
            is_new
        });
        if !look.snapshot.is_synced || !runners.manager.is_loaded() {
            return Ok(0);
        }
        let linked = self.link(&look).await?;
        if linked > 0 {
            return Ok(linked);
        }
        let plan = plan(&look.facts(&self.app, runners));
        let mut done = self.carry_out(&look, &plan, fence).await?;
        if done > 0 {
            runners.manager.book_changed();
        }
        done += self.sweep(&look, runners).await?;
        Ok(done)
    }
}

impl Pass for Scaling {
    const NAME: &'static str = "scaling";
    const ON_WORK: bool = true;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let app = self.app.clone();
        let Some(runners) = &app.runners else {
            return Ok(Outcome::Did(0));
        };
        let lease = self.lease.take(&app).await;
        let fence = lease.map_err(PassError::at("taking the lease"))?;
        runners.leads.send_if_modified(|leads| {
            let before = std::mem::replace(leads, fence.is_some());
            before != *leads
        });
        let Some(fence) = fence else {
            return Ok(Outcome::Elsewhere);
        };
        let done = self.scale(runners, &fence).await;
        if let Err(ScalingError::Fenced(FencedError::Fenced { .. })) = &done {
            self.lease.lose();
        }
        done.map(Outcome::Did)
            .map_err(PassError::at("making the fleet larger or smaller"))
    }

    async fn end(&mut self) {
        self.lease.give_back(&self.app).await;
    }
}
