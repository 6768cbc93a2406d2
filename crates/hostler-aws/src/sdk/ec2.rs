//! Calls of EC2: lists, launches, ends, tags.

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{
    Filter, HttpTokensState, InstanceMarketOptionsRequest, InstanceMetadataOptionsRequest,
    InstanceMetadataTagsState, InstanceType, LaunchTemplateSpecification, MarketType, Placement,
    Reservation, ResourceType, SpotMarketOptions, Tag, TagSpecification,
};

use super::Sdk;
use super::convert;
use super::errors::failed;
use crate::cloud::{CloudError, Health, Instance};
use crate::launch::{Launch, Place, Spot};
use crate::names::Tags;
use crate::settings::Template;

impl Sdk {
    pub(super) async fn list(&self, tags: &[(&str, &str)]) -> Result<Vec<Instance>, CloudError> {
        let filter = |(key, value): &(&str, &str)| filter(&format!("tag:{key}"), &[value]);
        let filters = tags.iter().map(filter).collect();
        let call = self
            .ec2
            .describe_instances()
            .set_filters(Some(filters))
            .max_results(1_000);
        let mut pages = call.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed)?;
            let instances = page.reservations().iter().flat_map(Reservation::instances);
            all.extend(instances.filter_map(convert::instance));
        }
        Ok(all)
    }

    pub(super) async fn list_healths(&self) -> Result<Vec<(String, Health)>, CloudError> {
        let call = self.ec2.describe_instance_status().max_results(1_000);
        let mut pages = call.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed)?;
            all.extend(page.instance_statuses().iter().filter_map(convert::health));
        }
        Ok(all)
    }

    pub(super) async fn list_notices(&self) -> Result<Vec<String>, CloudError> {
        let marked = filter(
            "status-code",
            &["marked-for-termination", "marked-for-stop"],
        );
        let call = self.ec2.describe_spot_instance_requests().filters(marked);
        let answer = call.send().await.map_err(failed)?;
        let requests = answer.spot_instance_requests().iter();
        Ok(requests
            .filter_map(|one| Some(one.instance_id()?.to_owned()))
            .collect())
    }

    pub(super) async fn run(&self, launch: &Launch) -> Result<Instance, CloudError> {
        let answer = self.run_call(launch).send().await.map_err(failed)?;
        let instance = answer.instances().first().and_then(convert::instance);
        let mut instance = instance
            .ok_or_else(|| CloudError::Silent("a launch without an instance".to_owned()))?;
        // Its tags are on it from its first moment, whatever the answer shows.
        instance.tags.extend(launch.tags.clone());
        Ok(instance)
    }

    /// IMDS is asked with a session alone, by nobody behind a further hop.
    pub(super) fn run_call(&self, launch: &Launch) -> RunInstancesFluentBuilder {
        let metadata = InstanceMetadataOptionsRequest::builder()
            .http_tokens(HttpTokensState::Required)
            .http_put_response_hop_limit(1)
            .instance_metadata_tags(InstanceMetadataTagsState::Enabled);
        let kind = launch.instance_type.as_deref().map(InstanceType::from);
        let call = self
            .ec2
            .run_instances()
            .min_count(1)
            .max_count(1)
            .client_token(&launch.token)
            .launch_template(template(&launch.template))
            .set_instance_type(kind)
            .set_user_data(launch.user_data.clone())
            .metadata_options(metadata.build())
            .set_instance_market_options(launch.spot.as_ref().map(market));
        let call = match &launch.place {
            Place::Any => call,
            Place::Zone(zone) => {
                call.placement(Placement::builder().availability_zone(zone).build())
            }
            Place::Subnet(subnet) => call.subnet_id(subnet),
        };
        let kinds = [ResourceType::Instance, ResourceType::Volume];
        kinds.into_iter().fold(call, |call, kind| {
            call.tag_specifications(tagged(kind, &launch.tags))
        })
    }

    pub(super) async fn end(&self, instance: &str) -> Result<(), CloudError> {
        let call = self.ec2.terminate_instances().instance_ids(instance);
        call.send().await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn set_tags(&self, instance: &str, all: &Tags) -> Result<(), CloudError> {
        let call = self
            .ec2
            .create_tags()
            .resources(instance)
            .set_tags(Some(tags(all)));
        call.send().await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn drop_tag(&self, instance: &str, key: &str) -> Result<(), CloudError> {
        let call = self.ec2.delete_tags().resources(instance);
        let call = call.tags(Tag::builder().key(key).build());
        call.send().await.map_err(failed)?;
        Ok(())
    }

    pub(super) async fn find_template(&self, name: &str, version: &str) -> Result<(), CloudError> {
        let call = self
            .ec2
            .describe_launch_template_versions()
            .versions(version);
        let call = if name.starts_with("lt-") {
            call.launch_template_id(name)
        } else {
            call.launch_template_name(name)
        };
        let answer = call.send().await.map_err(failed)?;
        if answer.launch_template_versions().is_empty() {
            return Err(CloudError::Refused {
                code: "InvalidLaunchTemplateId.VersionNotFound".to_owned(),
                text: format!("launch template {name} has no version {version}"),
                status: 400,
            });
        }
        Ok(())
    }
}

fn filter(name: &str, values: &[&str]) -> Filter {
    let values = values.iter().map(ToString::to_string).collect();
    Filter::builder()
        .name(name)
        .set_values(Some(values))
        .build()
}

fn template(template: &Template) -> LaunchTemplateSpecification {
    let call = LaunchTemplateSpecification::builder().version(&template.version);
    if template.name.starts_with("lt-") {
        return call.launch_template_id(&template.name).build();
    }
    call.launch_template_name(&template.name).build()
}

fn market(spot: &Spot) -> InstanceMarketOptionsRequest {
    let options = SpotMarketOptions::builder()
        .set_max_price(spot.most.clone())
        .build();
    let market = InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot);
    market.spot_options(options).build()
}

fn tagged(kind: ResourceType, all: &Tags) -> TagSpecification {
    TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tags(all)))
        .build()
}

fn tags(all: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    all.iter().map(tag).collect()
}
