//! The trait, call by call.

use async_trait::async_trait;

use super::Sdk;
use crate::cloud::{Cloud, CloudError, Group, Health, Instance, Try};
use crate::launch::Launch;
use crate::names::Tags;

type Answer<T> = Result<T, CloudError>;

#[async_trait]
impl Cloud for Sdk {
    async fn instances(&self, tags: &[(&str, &str)]) -> Answer<Vec<Instance>> {
        self.list(tags).await
    }

    async fn healths(&self) -> Answer<Vec<(String, Health)>> {
        self.list_healths().await
    }

    async fn notices(&self) -> Answer<Vec<String>> {
        self.list_notices().await
    }

    async fn launch(&self, launch: &Launch) -> Answer<Instance> {
        self.run(launch).await
    }

    async fn terminate(&self, instance: &str) -> Answer<()> {
        self.end(instance).await
    }

    async fn tag(&self, instance: &str, tags: &Tags) -> Answer<()> {
        self.set_tags(instance, tags).await
    }

    async fn untag(&self, instance: &str, key: &str) -> Answer<()> {
        self.drop_tag(instance, key).await
    }

    async fn groups(&self, names: &[String]) -> Answer<Vec<Group>> {
        self.list_groups(names).await
    }

    async fn group_tag(&self, group: &str, tag: (&str, &str)) -> Answer<()> {
        self.set_group_tag(group, tag).await
    }

    async fn group_untag(&self, group: &str, key: &str) -> Answer<()> {
        self.drop_group_tag(group, key).await
    }

    async fn group_desire(&self, group: &str, count: u32) -> Answer<()> {
        self.desire(group, count).await
    }

    async fn group_protect(&self, group: &str, instance: &str) -> Answer<()> {
        self.protect(group, instance).await
    }

    async fn group_terminate(&self, instance: &str) -> Answer<()> {
        self.end_member(instance).await
    }

    async fn dry_run(&self, of: Try<'_>) -> Answer<()> {
        self.try_call(of).await
    }

    async fn template(&self, name: &str, version: &str) -> Answer<()> {
        self.find_template(name, version).await
    }
}
