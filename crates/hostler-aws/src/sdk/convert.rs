//! What the SDK lists, reduced to what is looked at.

use aws_sdk_ec2::types::{
    Instance as Listed, InstanceLifecycleType, InstanceStateName, InstanceStatus, InstanceType,
    Placement, SummaryStatus,
};
use hostler_core::Timestamp;

use crate::cloud::{Health, Instance, State};
use crate::names::Tags;

/// The tag that Auto Scaling puts on its instances.
const GROUP: &str = "aws:autoscaling:groupName";

/// An instance; none without an id.
pub(super) fn instance(one: &Listed) -> Option<Instance> {
    let pairs = one.tags().iter();
    let tags: Tags = pairs
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
        .collect();
    let why = one.state_reason().and_then(|reason| reason.code());
    let launched = one.launch_time().and_then(|time| time.to_millis().ok());
    Some(Instance {
        id: one.instance_id()?.to_owned(),
        state: state(one.state().and_then(|state| state.name())),
        why: why.unwrap_or_default().to_owned(),
        launched: Timestamp::from_ms(launched.unwrap_or_default()),
        ips: one
            .private_ip_address()
            .map(str::to_owned)
            .into_iter()
            .collect(),
        extra: extra(one),
        group: tags.get(GROUP).cloned(),
        tags,
    })
}

fn state(name: Option<&InstanceStateName>) -> State {
    match name {
        Some(InstanceStateName::Running) => State::Running,
        Some(InstanceStateName::Stopped | InstanceStateName::Stopping) => State::Stopped,
        Some(InstanceStateName::ShuttingDown) => State::Ending,
        Some(InstanceStateName::Terminated) => State::Ended,
        _ => State::Pending,
    }
}

fn extra(one: &Listed) -> Tags {
    let zone = one.placement().and_then(Placement::availability_zone);
    let lifecycle = one.instance_lifecycle();
    let known = [
        (
            "instance_type",
            one.instance_type().map(InstanceType::as_str),
        ),
        ("zone", zone),
        ("private_dns_name", one.private_dns_name()),
        ("lifecycle", lifecycle.map(InstanceLifecycleType::as_str)),
        ("image", one.image_id()),
    ];
    let known = known
        .into_iter()
        .filter(|(_, value)| value.is_some_and(|value| !value.is_empty()));
    known
        .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
        .collect()
}

/// What both of its checks say together.
pub(super) fn health(one: &InstanceStatus) -> Option<(String, Health)> {
    let checks = [one.system_status(), one.instance_status()];
    let said = checks.map(|check| check.and_then(|check| check.status()).cloned());
    let is = |status: SummaryStatus| said.iter().flatten().any(|said| *said == status);
    let health = if is(SummaryStatus::Impaired) {
        Health::Impaired
    } else if is(SummaryStatus::Initializing) || is(SummaryStatus::InsufficientData) {
        Health::Initializing
    } else {
        Health::Well
    };
    Some((one.instance_id()?.to_owned(), health))
}
