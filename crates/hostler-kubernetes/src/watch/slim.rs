//! From objects, as the API server tells of them, to small copies.

use std::collections::BTreeMap;
use std::sync::Arc;

use hostler_core::Timestamp;
use hostler_core::runner::{Mark, Reason, ReasonCode, RunnerPool};
use k8s_openapi::api::core::v1::{
    ContainerStatus, Event as CoreEvent, Node as CoreNode, Pod, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff;

use super::rows::{Event, Node, Phase, Placeholder, Program};
use super::table::Key;
use crate::api::names;

/// A copy and the name it goes by; none when it is of no interest.
pub(crate) type Slim<T> = Option<(Key, T)>;

pub(crate) fn millis(time: Option<&Time>) -> Timestamp {
    Timestamp::from_ms(time.map_or(0, |time| time.0.as_millisecond()))
}

pub(super) fn key(meta: &ObjectMeta) -> Key {
    (
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

type Words = Option<BTreeMap<String, String>>;

fn word<'a>(words: &'a Words, name: &str) -> Option<&'a str> {
    words.as_ref()?.get(name).map(String::as_str)
}

/// A placeholder's copy.
pub(crate) fn placeholder(pod: Pod) -> (Key, Placeholder) {
    let meta = pod.metadata;
    let status = pod.status.unwrap_or_default();
    let node = pod.spec.and_then(|spec| spec.node_name);
    let has_ended = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
    let phase = match (&node, has_ended) {
        (_, true) => Phase::Ended,
        (Some(_), false) => Phase::Bound,
        (None, false) => Phase::Waiting,
    };
    let row = Placeholder {
        uid: meta.uid.clone().unwrap_or_default(),
        created: millis(meta.creation_timestamp.as_ref()),
        manager: word(&meta.labels, names::MANAGER).map(str::to_owned),
        mark: mark(&meta),
        pool: word(&meta.labels, names::POOL).and_then(|pool| pool.parse().ok()),
        why: why(&status, phase),
        ips: ips(&status),
        phase,
        node,
        is_terminating: meta.deletion_timestamp.is_some(),
        placed_since: None,
    };
    (key(&meta), row)
}

fn mark(meta: &ObjectMeta) -> Option<Mark> {
    let moment = |name| {
        let at: jiff::Timestamp = word(&meta.annotations, name)?.parse().ok()?;
        Some(Timestamp::from_ms(at.as_millisecond()))
    };
    Some(Mark {
        job: word(&meta.labels, names::JOB)?.parse().ok()?,
        index: word(&meta.labels, names::INDEX)?.parse().ok()?,
        requested_at: moment(names::REQUESTED)?,
        deadline: moment(names::DEADLINE)?,
    })
}

fn ips(status: &PodStatus) -> Vec<String> {
    let several = status.host_ips.iter().flatten().map(|one| one.ip.clone());
    let mut ips: Vec<String> = several.collect();
    if ips.is_empty() {
        ips.extend(status.host_ip.clone());
    }
    ips
}

fn why(status: &PodStatus, phase: Phase) -> Option<String> {
    if phase == Phase::Ended {
        let reason = status
            .reason
            .clone()
            .unwrap_or_else(|| "the pod ended".to_owned());
        let message = status.message.as_ref();
        return Some(message.map_or(reason.clone(), |message| format!("{reason}: {message}")));
    }
    let mut conditions = status.conditions.iter().flatten();
    let scheduled = conditions.find(|one| one.type_ == "PodScheduled" && one.status == "False");
    scheduled?.message.clone()
}

/// The copy of a runner program's pod; one without a node is of no interest.
pub(crate) fn program(pod: Pod) -> Slim<Program> {
    let meta = pod.metadata;
    let status = pod.status.unwrap_or_default();
    let mut conditions = status.conditions.iter().flatten();
    let is_ready = conditions.any(|one| one.type_ == "Ready" && one.status == "True");
    let row = Program {
        uid: meta.uid.clone().unwrap_or_default(),
        created: millis(meta.creation_timestamp.as_ref()),
        node: pod.spec.and_then(|spec| spec.node_name)?,
        ips: ips(&status),
        is_running: status.phase.as_deref() == Some("Running"),
        is_ready,
        is_terminating: meta.deletion_timestamp.is_some(),
        trouble: trouble(&status, is_ready),
        failing: None,
    };
    Some((key(&meta), row))
}

fn trouble(status: &PodStatus, is_ready: bool) -> Option<Reason> {
    if status.phase.as_deref() == Some("Failed") {
        return Some(Reason::new(
            ReasonCode::CrashLoop,
            why(status, Phase::Ended)?,
        ));
    }
    let inits = status.init_container_statuses.iter().flatten();
    let all = inits.chain(status.container_statuses.iter().flatten());
    all.filter(|_| !is_ready).find_map(stuck)
}

/// Why a container does not run, if it has failed: one that is being created
/// has not.
fn stuck(container: &ContainerStatus) -> Option<Reason> {
    let state = container.state.as_ref()?;
    let Some(waiting) = &state.waiting else {
        let has_ended = state
            .terminated
            .as_ref()
            .is_some_and(|end| end.exit_code != 0);
        let text = format!("container {} ended and is started again", container.name);
        return has_ended.then(|| Reason::new(ReasonCode::CrashLoop, text));
    };
    let said = waiting.reason.as_deref().unwrap_or_default();
    let code = match said {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
            ReasonCode::ImagePullFailed
        }
        "CrashLoopBackOff"
        | "RunContainerError"
        | "CreateContainerError"
        | "CreateContainerConfigError" => ReasonCode::CrashLoop,
        _ => return None,
    };
    let message = waiting.message.as_deref().unwrap_or(&container.name);
    Some(Reason::new(code, format!("{said}: {message}")))
}

/// A node's copy.
pub(crate) fn node(node: CoreNode, pools: &[Arc<RunnerPool>]) -> (Key, Node) {
    let meta = node.metadata;
    let spec = node.spec.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let mut conditions = status.conditions.iter().flatten();
    let ready = conditions.find(|one| one.type_ == "Ready");
    let is_ready = ready.is_some_and(|one| one.status == "True");
    let said = |message: Option<&String>| message.cloned().unwrap_or_default();
    let addresses = status.addresses.iter().flatten();
    let internal = addresses.filter(|one| one.type_ == "InternalIP");
    let labels = meta.labels.clone().unwrap_or_default();
    let carries = |pool: &Arc<RunnerPool>| {
        pool.selector
            .iter()
            .all(|(name, value)| labels.get(name) == Some(value))
    };
    let mut taints = spec.taints.iter().flatten();
    let notice = |key: &str| names::NOTICES.into_iter().find(|notice| *notice == key);
    let row = Node {
        uid: meta.uid.clone().unwrap_or_default(),
        ips: internal.map(|one| one.address.clone()).collect(),
        why: ready
            .filter(|_| !is_ready)
            .map(|one| said(one.message.as_ref())),
        is_ready,
        is_cordoned: spec.unschedulable.unwrap_or_default(),
        notice: taints.find_map(|taint| notice(&taint.key)),
        is_of_pool: pools.iter().any(carries),
    };
    (key(&meta), row)
}

/// The copy of an event that says something about getting a node.
pub(crate) fn event(event: &CoreEvent) -> Slim<Event> {
    let text = event.message.clone().unwrap_or_default();
    let source = event
        .source
        .as_ref()
        .and_then(|source| source.component.as_deref());
    let by = event
        .reporting_component
        .as_deref()
        .filter(|by| !by.is_empty());
    let is_karpenter = by.or(source).is_some_and(|by| by.contains("karpenter"));
    let code = code(event.reason.as_deref()?, &text, is_karpenter)?;
    let row = Event {
        uid: event.metadata.uid.clone().unwrap_or_default(),
        about: event.involved_object.uid.clone()?,
        is_of_autoscaler: code != ReasonCode::Unschedulable,
        reason: Reason::new(code, text),
        at: said_at(event),
    };
    Some((key(&event.metadata), row))
}

/// When it was last said: three generations of the API have three places.
fn said_at(event: &CoreEvent) -> Timestamp {
    let series = event.series.as_ref();
    let series = series.and_then(|series| series.last_observed_time.as_ref());
    let micro = series
        .or(event.event_time.as_ref())
        .map(|time| Time(time.0));
    let last = event.last_timestamp.as_ref().or(micro.as_ref());
    millis(last.or(event.metadata.creation_timestamp.as_ref()))
}

fn code(said: &str, text: &str, is_karpenter: bool) -> Option<ReasonCode> {
    Some(match said {
        "TriggeredScaleUp" | "Nominated" => ReasonCode::ScaleUpTriggered,
        "NotTriggerScaleUp" => no_growth(text),
        "FailedScheduling" if is_karpenter => no_growth(text),
        "FailedScheduling" => ReasonCode::Unschedulable,
        _ => return None,
    })
}

/// Why the autoscaler brings no node. It names the cause of each pool in one
/// text; the one that a person can mend at once comes first.
fn no_growth(text: &str) -> ReasonCode {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&[
        "max node group size reached",
        "max cluster",
        "max limit reached",
        "exceed limits",
    ]) {
        ReasonCode::MaxNodesReached
    } else if has(&[
        "backoff",
        "InsufficientCapacity",
        "out of resources",
        "not enough capacity",
    ]) {
        ReasonCode::NoCapacity
    } else if has(&["quota"]) {
        ReasonCode::QuotaExceeded
    } else {
        ReasonCode::NoMatchingPool
    }
}

#[cfg(test)]
#[path = "slim_tests.rs"]
mod tests;
