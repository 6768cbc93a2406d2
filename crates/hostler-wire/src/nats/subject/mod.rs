//! Subjects of the control API and its feeds (protocol 1.1, 4.1, 4.4).
//!
//! A node makes seven subscriptions and no two of them match one subject, so
//! that it answers each request once.

mod trigger;

pub use trigger::{TriggerSubject, TriggerSubjectError, overlaps};

use hostler_core::id::SlotId;

/// Asks every node how it is.
pub const PING: &str = "$NEX.PING";
/// What nodes subscribe for WPING.
pub const WORKLOAD_PING_ALL: &str = "$NEX.WPING.>";
/// All events of all namespaces.
pub const EVENTS_ALL: &str = "$NEX.events.>";
/// All logs of all namespaces.
pub const LOGS_ALL: &str = "$NEX.logs.>";

/// Asks one node how it is.
pub fn ping_node(node: &str) -> String {
    format!("{PING}.{node}")
}

/// Asks every node for workloads of a namespace, or for one by id or name.
pub fn workload_ping(namespace: &str, workload: Option<&str>) -> String {
    match workload {
        Some(workload) => format!("$NEX.WPING.{namespace}.{workload}"),
        None => format!("$NEX.WPING.{namespace}"),
    }
}

/// Asks a node what it is and runs for a namespace.
pub fn info(namespace: &str, node: &str) -> String {
    format!("$NEX.INFO.{namespace}.{node}")
}

/// Gives a node work.
pub fn deploy(namespace: &str, node: &str) -> String {
    format!("$NEX.DEPLOY.{namespace}.{node}")
}

/// Takes work from a node.
pub fn stop(namespace: &str, node: &str) -> String {
    format!("$NEX.STOP.{namespace}.{node}")
}

/// Tells a node to take no more work.
pub fn lame_duck(node: &str) -> String {
    format!("$NEX.LAMEDUCK.{node}")
}

/// Where an event is published; `*` for either part makes a filter.
pub fn event(namespace: &str, event_type: &str) -> String {
    format!("$NEX.events.{namespace}.{event_type}")
}

/// Where a log entry is published, in the documented order.
pub fn log(subject: &LogSubject<'_>) -> String {
    let LogSubject {
        namespace,
        node,
        workload,
        id,
    } = subject;
    format!("$NEX.logs.{namespace}.{node}.{workload}.{id}")
}

/// Everything a node subscribes on the control NATS for its control API.
pub fn node_subscriptions(node: &str) -> [String; 7] {
    [
        PING.to_owned(),
        ping_node(node),
        WORKLOAD_PING_ALL.to_owned(),
        info("*", node),
        deploy("*", node),
        stop("*", node),
        lame_duck(node),
    ]
}

/// What a message on the control API asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control<'a> {
    /// PING, of all nodes or of this one.
    Ping,
    /// WPING.
    WorkloadPing {
        /// The namespace asked for, in any case.
        namespace: &'a str,
        /// The id or name asked for; empty for all.
        workload: &'a str,
    },
    /// INFO.
    Info {
        /// The namespace asked for, in any case.
        namespace: &'a str,
    },
    /// DEPLOY.
    Deploy {
        /// The namespace to deploy into.
        namespace: &'a str,
    },
    /// STOP.
    Stop {
        /// The workload's namespace.
        namespace: &'a str,
    },
    /// LAMEDUCK.
    LameDuck,
}

impl<'a> Control<'a> {
    /// What a subject asks of `node`; nothing if it is for another, or no
    /// control subject. Tokens of WPING after the fourth are ignored.
    pub fn parse(subject: &'a str, node: &str) -> Option<Self> {
        let mut tokens = subject.strip_prefix("$NEX.")?.split('.');
        let verb = tokens.next()?;
        let rest: Vec<&str> = tokens.collect();
        match (verb, rest.as_slice()) {
            ("PING", []) => Some(Self::Ping),
            ("PING", [to]) if *to == node => Some(Self::Ping),
            ("WPING", [namespace]) => Some(Self::WorkloadPing {
                namespace,
                workload: "",
            }),
            ("WPING", [namespace, workload, ..]) => Some(Self::WorkloadPing {
                namespace,
                workload,
            }),
            ("INFO", [namespace, to]) if *to == node => Some(Self::Info { namespace }),
            ("DEPLOY", [namespace, to]) if *to == node => Some(Self::Deploy { namespace }),
            ("STOP", [namespace, to]) if *to == node => Some(Self::Stop { namespace }),
            ("LAMEDUCK", [to]) if *to == node => Some(Self::LameDuck),
            _ => None,
        }
    }
}

/// Namespace and type of an event's subject.
pub fn parse_event(subject: &str) -> Option<(&str, &str)> {
    let (namespace, event_type) = subject.strip_prefix("$NEX.events.")?.split_once('.')?;
    let whole = !namespace.is_empty() && !event_type.is_empty() && !event_type.contains('.');
    whole.then_some((namespace, event_type))
}

/// Whose a log entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSubject<'a> {
    /// The workload's namespace.
    pub namespace: &'a str,
    /// The node's public key.
    pub node: &'a str,
    /// The workload's name.
    pub workload: &'a str,
    /// The workload's id.
    pub id: &'a str,
}

/// What a log subject says, in either of the two orders in use. The id is the
/// token that has its form; if both have or neither, the order is the
/// documented one: name, then id.
pub fn parse_log(subject: &str) -> Option<LogSubject<'_>> {
    let tokens: Vec<&str> = subject.strip_prefix("$NEX.logs.")?.split('.').collect();
    let [namespace, node, one, other] = tokens.as_slice() else {
        return None;
    };
    if tokens.iter().any(|token| token.is_empty()) {
        return None;
    }
    let is_id = |token: &str| token.parse::<SlotId>().is_ok();
    let (workload, id) = if is_id(one) && !is_id(other) {
        (other, one)
    } else {
        (one, other)
    };
    Some(LogSubject {
        namespace,
        node,
        workload,
        id,
    })
}
