//! What a cluster is started with.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Pace;

/// A cluster's settings.
#[derive(Debug, Clone)]
pub struct Options {
    /// How its time passes.
    pub pace: Pace,
    /// Node groups of the autoscaler.
    pub pools: Vec<Pool>,
    /// How long things take.
    pub timings: Timings,
    /// Namespaces besides `default` and `kube-system`.
    pub namespaces: Vec<String>,
    /// Names and uids follow from it.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pace: Pace::Times(1.0),
            pools: vec![Pool::runners(10)],
            timings: Timings::default(),
            namespaces: Vec::new(),
            seed: 1,
        }
    }
}

/// A group of like machines that the autoscaler grows and shrinks.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Its name; nodes are called `<name>-<number>`.
    pub name: String,
    /// Labels of its nodes.
    pub labels: Vec<(String, String)>,
    /// Taints of its nodes: key, value, effect.
    pub taints: Vec<(String, String, String)>,
    /// Machines at the start, and the fewest that scaling down leaves.
    pub min: usize,
    /// The most machines.
    pub max: usize,
    /// What one machine has: processors, memory, pods.
    pub machine: (String, String, String),
    /// From being asked for until the Node object appears; none: it never does.
    pub boot: Option<Duration>,
    /// From there until it is Ready; none: it never is.
    pub ready: Option<Duration>,
    /// Whether its cloud has no machines left: asking fails, and backs off.
    pub sold_out: bool,
}

impl Pool {
    /// A pool as runners have it: labelled, tainted, empty at first.
    pub fn runners(max: usize) -> Self {
        let taint = ("sandbox", "true", "NoSchedule");
        Self {
            name: "runners".to_owned(),
            labels: vec![("daytona-sandbox-c".to_owned(), "true".to_owned())],
            taints: vec![(taint.0.to_owned(), taint.1.to_owned(), taint.2.to_owned())],
            min: 0,
            max,
            machine: ("4".to_owned(), "16Gi".to_owned(), "110".to_owned()),
            boot: Some(Duration::from_secs(40)),
            ready: Some(Duration::from_secs(10)),
            sold_out: false,
        }
    }

    pub(crate) fn taints(&self) -> Vec<Value> {
        let taint = |(key, value, effect): &(String, String, String)| json!({"key": key, "value": value, "effect": effect});
        self.taints.iter().map(taint).collect()
    }
}

/// How long things take in the cluster's own time.
#[derive(Debug, Clone)]
pub struct Timings {
    /// Between two looks of the autoscaler.
    pub scan: Duration,
    /// How long a node must be unneeded to be removed; none: it never is.
    pub scale_down: Option<Duration>,
    /// How long a pool is left alone after it had no machines.
    pub back_off: Duration,
    /// From being bound until a pod runs.
    pub pod_start: Duration,
    /// From being asked to end until a pod has ended, within its grace.
    pub pod_stop: Duration,
    /// A kubelet's silence after which its node is unknown.
    pub node_grace: Duration,
    /// From a Node's deletion until its pods are collected.
    pub pod_gc: Duration,
    /// Between two bookmarks of a watch, in real time.
    pub bookmark: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            scan: Duration::from_secs(10),
            scale_down: None,
            back_off: Duration::from_mins(5),
            pod_start: Duration::from_secs(1),
            pod_stop: Duration::from_secs(1),
            node_grace: Duration::from_secs(40),
            pod_gc: Duration::from_secs(55),
            bookmark: Duration::from_mins(1),
        }
    }
}

impl Timings {
    /// Everything as soon as it can be: for tests that are not about time.
    pub fn instant() -> Self {
        Self {
            scan: Duration::ZERO,
            pod_start: Duration::ZERO,
            pod_stop: Duration::ZERO,
            ..Self::default()
        }
    }
}
