//! Carrying out a removal: each runner goes its steps by itself, all of them
//! side by side.

use futures::stream::{self, StreamExt as _};
use hostler_core::Timestamp;
use hostler_core::runner::job::{JobEnd, JobItem};
use hostler_core::runner::removal::{RemovalStep, removal_step};
use hostler_core::runner::{Reason, ReasonCode, RunnerId};

use super::Manager;
use super::keeper::{Keeper, Next};
use super::look::View;
use crate::provider::ProviderError;

/// What came of one step.
struct Done {
    item: JobItem,
    is_failed: bool,
    is_again: bool,
}

impl Keeper {
    pub(super) async fn removal_turn(&mut self, view: &View) -> Next {
        if self.job.has_ended() {
            return Next::Change(None);
        }
        let rest: Vec<_> = self.open_items().collect();
        if rest.is_empty() {
            return self.removal_end().await;
        }
        let steps = self.removal_steps(rest, view);
        if self.mark_final(&steps) {
            if self.write().await {
                return Next::Now;
            }
            self.back_to_written();
            return Next::Retry;
        }
        let force = self.job.force;
        let done: Vec<(usize, Done)> = stream::iter(steps)
            .map(|(index, item, step)| {
                let manager = &self.manager;
                async move { (index, manager.remove_step(item, step, force).await) }
            })
            .buffer_unordered(self.manager.info().calls_at_once.max(1))
            .collect()
            .await;
        self.removal_apply(done)
    }

    fn removal_steps(
        &self,
        rest: Vec<(usize, JobItem)>,
        view: &View,
    ) -> Vec<(usize, JobItem, RemovalStep)> {
        let (force, deadline) = (self.job.force, self.job.deadline);
        let unlisted = self.manager.unlisted(self.job.kind);
        let step = |(index, item): (usize, JobItem)| {
            let sight = view.removal_sight(&item, unlisted);
            let step = removal_step(&item, &sight, force, deadline, view.now);
            (index, item, step)
        };
        rest.into_iter().map(step).collect()
    }

    /// From here on there is no way back, and that is written down before
    /// anything is given back: who calls a removal off, sees it.
    fn mark_final(&mut self, steps: &[(usize, JobItem, RemovalStep)]) -> bool {
        let now = self.manager.now();
        let is_new =
            |item: &JobItem, step| step == RemovalStep::Release && item.drained_at.is_none();
        let mut any = false;
        for (index, _, _) in steps.iter().filter(|(_, item, step)| is_new(item, *step)) {
            self.job.items[*index].drained_at = Some(now);
            any = true;
        }
        any
    }

    /// Those that are neither gone nor given up.
    fn open_items(&self) -> impl Iterator<Item = (usize, JobItem)> + '_ {
        let items = self.job.items.iter().cloned().enumerate();
        items.filter(|(_, item)| item.gone_at.is_none() && !is_stuck(item))
    }

    fn removal_apply(&mut self, done: Vec<(usize, Done)>) -> Next {
        let (mut again, mut failed) = (false, false);
        for (index, done) in done {
            self.job.items[index] = done.item;
            again |= done.is_again;
            failed |= done.is_failed;
        }
        match (again, failed) {
            (true, _) => Next::Now,
            (false, true) => Next::Retry,
            (false, false) => Next::Change(Some(self.next_look())),
        }
    }

    /// What was asked for and is not seen yet is asked for again.
    fn next_look(&self) -> Timestamp {
        let soon = self.manager.now() + std::time::Duration::from_secs(5);
        if soon < self.job.deadline || self.manager.now() >= self.job.deadline {
            soon
        } else {
            self.job.deadline
        }
    }

    async fn removal_end(&mut self) -> Next {
        let stuck = self.job.items.iter().find(|item| is_stuck(item));
        match stuck.and_then(|item| item.reason.clone()) {
            None => self.end(JobEnd::Completed, None).await,
            Some(reason) => self.end(JobEnd::Timeout, Some(reason)).await,
        }
    }
}

fn is_stuck(item: &JobItem) -> bool {
    let code = item.reason.as_ref().map(|reason| reason.code);
    code == Some(ReasonCode::RemovalStuck) && item.gone_at.is_none()
}

impl Manager {
    async fn remove_step(&self, mut item: JobItem, step: RemovalStep, force: bool) -> Done {
        let fleet = &self.0.parts.fleet;
        let id = item.id.clone();
        let result = match step {
            RemovalStep::Mark => fleet
                .schedule(&id, false)
                .await
                .map_err(|error| unreachable(&error)),
            RemovalStep::Drain | RemovalStep::Confirm => Ok(()),
            RemovalStep::Cordon => self.close(&mut item).await,
            RemovalStep::Release => self.release(&id, force).await,
            RemovalStep::Forget => fleet.forget(&id).await.map_err(|error| unreachable(&error)),
            RemovalStep::GiveUp => self.give_up(&item).await,
        };
        let is_again = matches!(
            step,
            RemovalStep::Cordon | RemovalStep::Forget | RemovalStep::GiveUp
        );
        let is_failed = result.is_err();
        match result {
            Ok(()) => self.stepped(&mut item, step),
            Err(error) => {
                tracing::warn!("the removal of {id} waits: {error}");
                item.reason = Some(error.reason());
            }
        }
        let is_again = is_again && !is_failed;
        Done {
            item,
            is_failed,
            is_again,
        }
    }

    fn stepped(&self, item: &mut JobItem, step: RemovalStep) {
        let now = Some(self.now());
        match step {
            RemovalStep::Forget => {
                item.gone_at = now;
                let text = "it was removed because it was asked for";
                item.reason = Some(Reason::new(ReasonCode::Removed, text));
            }
            RemovalStep::GiveUp => {
                let text = "its work did not leave it in time; it is open again";
                item.reason = Some(Reason::new(ReasonCode::RemovalStuck, text));
            }
            _ => {}
        }
    }

    async fn release(&self, id: &RunnerId, force: bool) -> Result<(), ProviderError> {
        let left = self.0.parts.fleet.leave(id, force).await;
        left.map_err(|error| unreachable(&error))?;
        self.0.parts.provider.release(id).await
    }

    /// Without the right to close machines, a removal goes on all the same: the
    /// worst is that another request is placed on the machine.
    async fn close(&self, item: &mut JobItem) -> Result<(), ProviderError> {
        match self.0.parts.provider.cordon(&item.id, true).await {
            Err(ProviderError::Denied(text)) => {
                tracing::warn!("{} is removed without closing its machine: {text}", item.id);
            }
            other => other?,
        }
        item.cordoned_at = Some(self.now());
        Ok(())
    }

    async fn give_up(&self, item: &JobItem) -> Result<(), ProviderError> {
        if item.cordoned_at.is_some() {
            self.0.parts.provider.cordon(&item.id, false).await?;
        }
        let opened = self.0.parts.fleet.schedule(&item.id, true).await;
        opened.map_err(|error| unreachable(&error))
    }
}

fn unreachable(error: &crate::fleet::FleetError) -> ProviderError {
    ProviderError::Unreachable(error.to_string())
}
