//! Calls of Auto Scaling.

use aws_sdk_autoscaling::types::{
    Activity, AutoScalingGroup, LifecycleState, ScalingActivityStatusCode, Tag,
};
use hostler_core::Timestamp;

use super::Sdk;
use super::errors::failed;
use crate::cloud::{CloudError, Group};

const KIND: &str = "auto-scaling-group";

impl Sdk {
    pub(super) async fn list_groups(&self, names: &[String]) -> Result<Vec<Group>, CloudError> {
        let call = self.groups.describe_auto_scaling_groups();
        let call = call.set_auto_scaling_group_names(Some(names.to_vec()));
        let answer = call.send().await.map_err(failed)?;
        let mut groups: Vec<Group> = answer
            .auto_scaling_groups()
            .iter()
            .filter_map(group)
            .collect();
        for group in &mut groups {
            group.failure = self.last_failure(&group.name).await?;
        }
        Ok(groups)
    }

    /// The last launch, if it failed.
    async fn last_failure(&self, group: &str) -> Result<Option<(Timestamp, String)>, CloudError> {
        let call = self.groups.describe_scaling_activities();
        let call = call.auto_scaling_group_name(group).max_records(5);
        let answer = call.send().await.map_err(failed)?;
        Ok(answer.activities().first().and_then(failure))
    }

    pub(super) async fn set_group_tag(
        &self,
        group: &str,
        (key, value): (&str, &str),
    ) -> Result<(), CloudError> {
        let tag = own_tag(group, key).value(value).propagate_at_launch(false);
        let call = self.groups.create_or_update_tags().tags(tag.build());
        call.send().await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn drop_group_tag(&self, group: &str, key: &str) -> Result<(), CloudError> {
        let call = self.groups.delete_tags().tags(own_tag(group, key).build());
        call.send().await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn desire(&self, group: &str, count: u32) -> Result<(), CloudError> {
        let call = self
            .groups
            .set_desired_capacity()
            .auto_scaling_group_name(group);
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let call = call.desired_capacity(count).honor_cooldown(false);
        call.send().await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn protect(&self, group: &str, instance: &str) -> Result<(), CloudError> {
        let call = self
            .groups
            .set_instance_protection()
            .auto_scaling_group_name(group);
        let call = call.instance_ids(instance).protected_from_scale_in(true);
        call.send().await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn end_member(&self, instance: &str) -> Result<(), CloudError> {
        let call = self.groups.terminate_instance_in_auto_scaling_group();
        let call = call
            .instance_id(instance)
            .should_decrement_desired_capacity(true);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

fn own_tag(group: &str, key: &str) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    Tag::builder()
        .resource_id(group)
        .resource_type(KIND)
        .key(key)
}

fn group(one: &AutoScalingGroup) -> Option<Group> {
    let count = |given: Option<i32>| u32::try_from(given.unwrap_or_default()).unwrap_or(0);
    let stays = |state: Option<&LifecycleState>| {
        state.is_some_and(|state| {
            let word = state.as_str();
            word == "InService" || word.starts_with("Pending")
        })
    };
    let members = one
        .instances()
        .iter()
        .filter(|member| stays(member.lifecycle_state()));
    let member = |member: &aws_sdk_autoscaling::types::Instance| {
        let is_safe = member.protected_from_scale_in().unwrap_or_default();
        Some((member.instance_id()?.to_owned(), is_safe))
    };
    let tags = one.tags().iter();
    Some(Group {
        name: one.auto_scaling_group_name()?.to_owned(),
        desired: count(one.desired_capacity()),
        min: count(one.min_size()),
        max: count(one.max_size()),
        tags: tags
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
            .collect(),
        members: members.filter_map(member).collect(),
        failure: None,
    })
}

fn failure(last: &Activity) -> Option<(Timestamp, String)> {
    let ended = [
        ScalingActivityStatusCode::Failed,
        ScalingActivityStatusCode::Cancelled,
    ];
    let at = last.start_time()?.to_millis().ok()?;
    let text = last.status_message()?;
    let has_failed = last.status_code().is_some_and(|code| ended.contains(code));
    has_failed.then(|| (Timestamp::from_ms(at), text.to_owned()))
}
