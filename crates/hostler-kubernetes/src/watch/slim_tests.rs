//! Copies of objects as clusters really write them.

use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check_code(said: &str, by: &str, text: &str, expected: Option<ReasonCode>) {
    let found = event(
        &serde_json::from_value(json!({
            "metadata": {"name": "e", "namespace": "a"}, "involvedObject": {"uid": "1"},
            "reason": said, "message": text, "reportingComponent": by,
            "lastTimestamp": "2026-01-01T00:00:00Z",
        }))
        .unwrap(),
    );
    assert_eq!(
        found.map(|(_, event)| event.reason.code),
        expected,
        "{text}"
    );
}

#[test]
fn events_say_whether_a_node_is_to_be_had() {
    use ReasonCode::{
        MaxNodesReached, NoCapacity, NoMatchingPool, ScaleUpTriggered, Unschedulable,
    };
    let not = "NotTriggerScaleUp";
    let text = "pod didn't trigger scale-up: 1 max node group size reached, \
        2 node(s) didn't match Pod's node affinity/selector";
    check_code(not, "cluster-autoscaler", text, Some(MaxNodesReached));
    let text = "pod didn't trigger scale-up: 1 in backoff after failed scale-up";
    check_code(not, "cluster-autoscaler", text, Some(NoCapacity));
    let text = "pod didn't trigger scale-up: 1 node(s) had untolerated taint {a: b}";
    check_code(not, "cluster-autoscaler", text, Some(NoMatchingPool));
    let text = "pod triggered scale-up: [{runners 0->1 (max: 3)}]";
    check_code(
        "TriggeredScaleUp",
        "cluster-autoscaler",
        text,
        Some(ScaleUpTriggered),
    );
    let text = "0/3 nodes are available";
    check_code(
        "FailedScheduling",
        "default-scheduler",
        text,
        Some(Unschedulable),
    );
    check_code(
        "FailedScheduling",
        "karpenter",
        "incompatible",
        Some(NoMatchingPool),
    );
    check_code("Pulled", "kubelet", "Container image is there", None);
}

fn container(state: &Value) -> Option<ReasonCode> {
    let pod = json!({
        "metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": []},
        "status": {"phase": "Pending", "containerStatuses": [{
            "name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 1,
            "state": state,
        }]},
    });
    let (_, row) = program(serde_json::from_value(pod).unwrap()).unwrap();
    row.trouble.map(|reason| reason.code)
}

#[test]
fn a_container_that_is_being_made_has_not_failed() {
    let waiting = |reason: &str| container(&json!({"waiting": {"reason": reason}}));
    assert_eq!(waiting("ContainerCreating"), None);
    assert_eq!(waiting("PodInitializing"), None);
    assert_eq!(
        waiting("ImagePullBackOff"),
        Some(ReasonCode::ImagePullFailed)
    );
    assert_eq!(waiting("ErrImagePull"), Some(ReasonCode::ImagePullFailed));
    assert_eq!(waiting("CrashLoopBackOff"), Some(ReasonCode::CrashLoop));
    let ended = |code: i32| container(&json!({"terminated": {"exitCode": code}}));
    assert_eq!([ended(0), ended(1)], [None, Some(ReasonCode::CrashLoop)]);
    assert_eq!(container(&json!({"running": {}})), None);
}

#[test]
fn a_dual_stack_node_s_addresses_stay_in_its_own_order() {
    let address = |kind: &str, ip: &str| json!({"type": kind, "address": ip});
    let object = json!({
        "metadata": {"name": "n"},
        "status": {
            "addresses": [
                address("Hostname", "n"), address("InternalIP", "fd00::1"),
                address("ExternalIP", "192.0.2.1"), address("InternalIP", "10.0.0.1"),
            ],
            "conditions": [{"type": "Ready", "status": "Unknown", "message": "no word"}],
        },
        "spec": {"unschedulable": true, "taints": [
            {"key": "karpenter.sh/disrupted", "effect": "NoSchedule"},
        ]},
    });
    let (_, row) = node(serde_json::from_value(object).unwrap(), &[]);
    assert_eq!(row.ips, ["fd00::1", "10.0.0.1"]);
    assert_eq!((row.is_ready, row.why.as_deref()), (false, Some("no word")));
    assert!(row.is_cordoned);
    assert_eq!(row.notice, Some("karpenter.sh/disrupted"));
}

#[test]
fn a_pod_made_by_hand_has_no_mark() {
    let pod = json!({"metadata": {"name": "p", "labels": {"app": "node-placeholder"}}});
    let (_, row) = placeholder(serde_json::from_value(pod).unwrap());
    assert_eq!(
        (row.mark, row.manager, row.phase),
        (None, None, Phase::Waiting)
    );
}
