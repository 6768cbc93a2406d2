//! Closing a machine, and giving it back. What to end is asked of EC2 anew, and
//! what was answered or seen before is ended as well: lists lag.

use std::collections::BTreeMap;

use hostler_core::runner::RunnerId;
use hostler_runners::provider::ProviderError;

use super::Aws;
use crate::cloud::{CloudError, Instance, State};
use crate::names::{Tags, tag};

/// What EC2 says of an instance that was terminated by a call.
const ASKED: &str = "Client.UserInitiatedShutdown";

impl Aws {
    /// Closed is a tag: that no work comes there is the fleet's doing.
    pub(super) async fn close(&self, id: &RunnerId, closed: bool) -> Result<(), ProviderError> {
        let (instances, _) = self.world.of_runner(id);
        for one in instances
            .iter()
            .filter(|one| one.state.lives() && self.is_ours(one))
        {
            let mark = Tags::from([(tag::CLOSED.to_owned(), "1".to_owned())]);
            let done = if closed {
                self.cloud.tag(&one.id, &mark).await
            } else {
                self.cloud.untag(&one.id, tag::CLOSED).await
            };
            forgiving(done).map_err(|error| error.provider())?;
            self.world.retag(&one.id, |tags| {
                tags.remove(tag::CLOSED);
                tags.extend(mark.into_iter().filter(|_| closed));
            });
        }
        Ok(())
    }

    pub(super) async fn give_back(&self, id: &RunnerId) -> Result<(), ProviderError> {
        self.give_back_all(id)
            .await
            .map_err(|error| error.provider())
    }

    async fn give_back_all(&self, id: &RunnerId) -> Result<(), CloudError> {
        self.unwant(id).await?;
        for one in self.instances_of(id).await?.into_values() {
            self.end(one).await?;
        }
        self.set_cursor(id, None);
        Ok(())
    }

    /// All instances of the runner that are this fleet's.
    async fn instances_of(&self, id: &RunnerId) -> Result<BTreeMap<String, Instance>, CloudError> {
        let owner = (tag::FLEET, self.settings.fleet.as_str());
        let now = self
            .cloud
            .instances(&[owner, (tag::RUNNER, id.as_str())])
            .await?;
        let (before, _) = self.world.of_runner(id);
        let all = before.into_iter().chain(now);
        let ours = all.filter(|one| self.is_ours(one));
        Ok(ours.map(|one| (one.id.clone(), one)).collect())
    }

    /// Ends one instance; one that has ended by itself is shown no longer.
    pub(crate) async fn end(&self, mut one: Instance) -> Result<(), CloudError> {
        if one.state == State::Ending && one.why == ASKED {
            return Ok(());
        }
        if one.state.lives() {
            forgiving(self.terminate(&one).await)?;
            (one.state, one.why) = (State::Ending, ASKED.to_owned());
        } else if !one.tags.contains_key(tag::RELEASED) {
            let mark = Tags::from([(tag::RELEASED.to_owned(), "1".to_owned())]);
            // It is over, and only looks are at stake.
            let _ = self.cloud.tag(&one.id, &mark).await;
            one.tags.extend(mark);
        }
        self.world.answer(one);
        Ok(())
    }

    async fn terminate(&self, one: &Instance) -> Result<(), CloudError> {
        match &one.group {
            Some(_) => self.cloud.group_terminate(&one.id).await,
            None => self.cloud.terminate(&one.id).await,
        }
    }
}

/// What is gone needs nothing more.
fn forgiving(done: Result<(), CloudError>) -> Result<(), CloudError> {
    done.or_else(|error| {
        if error.is_missing() {
            Ok(())
        } else {
            Err(error)
        }
    })
}
