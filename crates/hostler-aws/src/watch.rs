//! Lists everything, again and again: often while something is under way,
//! seldom while nothing is, and ever more seldom while AWS asks for a pause.
//! Whoever reads never waits for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join3;
use hostler_daemon::backoff::Backoff;
use tokio::sync::watch;

use crate::cloud::{Cloud, CloudError, Group, State};
use crate::groups::{GroupStep, group_steps};
use crate::names::tag;
use crate::seen::Listed;
use crate::settings::Settings;
use crate::world::World;

const LONGEST: Duration = Duration::from_mins(2);

/// What lists.
pub(crate) struct Watch {
    pub(crate) cloud: Arc<dyn Cloud>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) world: Arc<World>,
    /// Whether any pool is of spot instances.
    pub(crate) has_spot: bool,
    /// Whether this manager may change groups.
    pub(crate) leads: watch::Receiver<bool>,
}

impl Watch {
    /// Lists until it is dropped.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::new(self.settings.poll_least, LONGEST);
        loop {
            let woken = self.world.changed.notified();
            let pause = match self.look().await {
                Ok(is_moving) => {
                    backoff.reset();
                    self.usual_pause(is_moving)
                }
                Err(error) => {
                    tracing::warn!(%error, "could not list instances");
                    self.world.fail(error.reason());
                    backoff.pause()
                }
            };
            // However often something changes, it is not listed more often.
            tokio::time::sleep(spread(self.settings.poll_least)).await;
            let rest = pause.saturating_sub(self.settings.poll_least);
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(spread(rest)) => {}
            }
        }
    }

    fn usual_pause(&self, is_moving: bool) -> Duration {
        if is_moving {
            self.settings.poll_least
        } else {
            self.settings.poll
        }
    }

    /// One look at everything; whether anything is under way.
    async fn look(&self) -> Result<bool, CloudError> {
        let listed = self.list().await?;
        let is_moving = is_moving(&listed);
        self.world.list(listed);
        let has_changed = *self.leads.borrow() && self.tend().await?;
        Ok(is_moving || has_changed)
    }

    async fn list(&self) -> Result<Listed, CloudError> {
        let ours = [(tag::FLEET, self.settings.fleet.as_str())];
        let (instances, healths, notices) = try_join3(
            self.cloud.instances(&ours),
            async {
                if self.settings.checks {
                    self.cloud.healths().await
                } else {
                    Ok(Vec::new())
                }
            },
            async {
                if self.has_spot {
                    self.cloud.notices().await
                } else {
                    Ok(Vec::new())
                }
            },
        )
        .await?;
        let names = self.settings.groups();
        let groups = if names.is_empty() {
            Vec::new()
        } else {
            self.cloud.groups(&names).await?
        };
        let is_ours = |group: &Group| is_ours(group, &self.settings.fleet);
        Ok(Listed {
            instances: instances
                .into_iter()
                .map(|one| (one.id.clone(), one))
                .collect(),
            healths: healths.into_iter().collect(),
            notices: notices.into_iter().collect(),
            groups: groups
                .into_iter()
                .filter(is_ours)
                .map(|one| (one.name.clone(), one))
                .collect(),
        })
    }

    /// Tells groups what they are to be told; whether there was anything.
    async fn tend(&self) -> Result<bool, CloudError> {
        let Listed {
            instances, groups, ..
        } = self.world.listed();
        let mut has_changed = false;
        for group in groups.values() {
            for step in group_steps(group, &instances, &self.settings.fleet) {
                has_changed = true;
                self.step(group, step).await?;
            }
        }
        Ok(has_changed)
    }

    async fn step(&self, group: &Group, step: GroupStep) -> Result<(), CloudError> {
        let name = group.name.as_str();
        match step {
            GroupStep::Protect(instance) => self.cloud.group_protect(name, &instance).await,
            GroupStep::Claim(instance, claim) => {
                tracing::info!(runner = %claim.runner, instance, "an instance of {name} is the runner's");
                let tags = claim.tags(&self.settings.fleet);
                self.cloud.tag(&instance, &tags).await?;
                self.world.retag(&instance, |known| known.extend(tags));
                Ok(())
            }
            GroupStep::Settle(key) => self.cloud.group_untag(name, &key).await,
            GroupStep::Desire(count) => {
                tracing::info!(from = group.desired, to = count, "group {name} is resized");
                self.cloud.group_desire(name, count).await
            }
        }
    }
}

/// A group is ours if it says so: nothing else is ever changed.
pub(crate) fn is_ours(group: &Group, fleet: &str) -> bool {
    group
        .tags
        .get(tag::FLEET)
        .is_some_and(|owner| owner == fleet)
}

fn is_moving(listed: &Listed) -> bool {
    let moves = |state| matches!(state, State::Pending | State::Ending);
    let waits = |groups: &BTreeMap<String, Group>| {
        groups
            .values()
            .any(|group| !crate::groups::wants(group).is_empty())
    };
    listed.instances.values().any(|one| moves(one.state)) || waits(&listed.groups)
}

/// A pause of 75 to 125 %: several managers do not ask in step.
fn spread(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.75..1.25))
}
