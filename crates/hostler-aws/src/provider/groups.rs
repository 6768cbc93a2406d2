//! Waiting for an instance of a group: one tag, which the watch acts on.

use hostler_runners::provider::{Order, ProviderError};

use super::Aws;
use crate::cloud::{CloudError, Group};
use crate::groups::{WANTS, wants};
use crate::names::{Claim, tag};
use crate::watch::is_ours;

impl Aws {
    pub(super) async fn want(
        &self,
        order: &Order,
        name: &str,
        generation: u32,
    ) -> Result<(), ProviderError> {
        let group = self.own_group(name)?;
        let waiting = wants(&group);
        if waiting.iter().any(|want| want.runner == order.id) {
            return Ok(());
        }
        if waiting.len() >= WANTS {
            return Err(ProviderError::Throttled {
                retry_after: Some(self.settings.poll_least),
                text: format!("{WANTS} runners wait for group {name} already"),
            });
        }
        let (key, value) = Claim::of_order(order, generation).want();
        let tagged = self.cloud.group_tag(name, (&key, &value)).await;
        tagged.map_err(|error| error.provider())?;
        self.known_group(name, |group| drop(group.tags.insert(key, value)));
        Ok(())
    }

    /// The group, if it says that it is ours.
    fn own_group(&self, name: &str) -> Result<Group, ProviderError> {
        let group = self.world.group_known(name);
        group.ok_or_else(|| {
            let owner = format!("{}={}", tag::FLEET, self.settings.fleet);
            let text = format!("there is no Auto Scaling group {name} with the tag {owner}");
            ProviderError::Invalid(text)
        })
    }

    fn known_group(&self, name: &str, change: impl FnOnce(&mut Group)) {
        if let Some(mut group) = self.world.group_known(name) {
            change(&mut group);
            self.world.group(group);
        }
    }

    /// Takes the runner's want off every group that has one, as they are now.
    pub(super) async fn unwant(
        &self,
        id: &hostler_core::runner::RunnerId,
    ) -> Result<(), CloudError> {
        let names = self.settings.groups();
        if names.is_empty() {
            return Ok(());
        }
        let key = format!("{}{id}", tag::WANT);
        let groups = self.cloud.groups(&names).await?;
        let ours = groups
            .iter()
            .filter(|group| is_ours(group, &self.settings.fleet));
        for group in ours.filter(|group| group.tags.contains_key(&key)) {
            self.cloud.group_untag(&group.name, &key).await?;
        }
        for name in &names {
            self.known_group(name, |group| drop(group.tags.remove(&key)));
        }
        Ok(())
    }
}
