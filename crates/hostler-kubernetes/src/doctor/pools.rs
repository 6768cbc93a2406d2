//! Whether each pool's nodes look as its placeholders expect.

use std::sync::Arc;

use hostler_core::runner::{Reason, ReasonCode, RunnerPool};
use hostler_runners::provider::Check;
use k8s_openapi::api::core::v1::{Node, Taint};
use kube::api::ListParams;
use kube::{Api, Client};

use super::scaler::Scaler;
use super::{advice, problem, reason};
use crate::api::within;
use crate::settings::Settings;

pub(super) async fn check(
    client: &Client,
    settings: &Settings,
    pools: &[Arc<RunnerPool>],
    scaler: Scaler,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for pool in pools {
        checks.push(one(client, settings, pool, scaler).await);
    }
    checks
}

async fn one(client: &Client, settings: &Settings, pool: &RunnerPool, scaler: Scaler) -> Check {
    let name = format!("pool {}", pool.name);
    let nodes: Api<Node> = Api::all(client.clone());
    let selector: Vec<String> = pool
        .selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let selector = selector.join(",");
    let params = ListParams::default().labels(&selector).limit(50);
    let found = within(settings.patience, nodes.list(&params)).await;
    let problem = match found {
        Err(failure) if failure.is_denied() => None,
        Err(failure) => Some(reason(&failure)),
        Ok(nodes) if nodes.items.is_empty() => nobody(&selector, scaler),
        Ok(nodes) => nodes.items.iter().find_map(|node| unlike(pool, node)),
    };
    advice(name, problem)
}

/// An empty pool is as it should be where an autoscaler fills it.
fn nobody(selector: &str, scaler: Scaler) -> Option<Reason> {
    let text = format!("no node carries {selector}, and no autoscaler was found that brings one");
    let hint = format!(
        "kubectl label nodes <node-name> {}",
        selector.replace(',', " ")
    );
    (scaler == Scaler::None).then(|| problem(ReasonCode::NoMatchingPool, text, hint))
}

fn unlike(pool: &RunnerPool, node: &Node) -> Option<Reason> {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let taints = node
        .spec
        .as_ref()
        .and_then(|spec| spec.taints.as_deref())
        .unwrap_or_default();
    unborne(pool, name, taints).or_else(|| untainted(pool, name, taints))
}

/// A taint that keeps our placeholders off.
fn unborne(pool: &RunnerPool, name: &str, taints: &[Taint]) -> Option<Reason> {
    let is_own = |taint: &&Taint| {
        pool.taints
            .iter()
            .any(|own| own.key == taint.key && own.effect == taint.effect)
    };
    let is_passing = |taint: &&Taint| {
        taint.key.starts_with("node.kubernetes.io/") || taint.key.contains("ClusterAutoscaler")
    };
    let mut hard = taints
        .iter()
        .filter(|taint| taint.effect != "PreferNoSchedule");
    let foreign = hard.find(|taint| !is_own(taint) && !is_passing(taint))?;
    let text = format!(
        "node {name} has the taint {}, which the pool does not name",
        foreign.key
    );
    let hint = format!(
        "add {}:{} to the pool's taints, or take it off",
        foreign.key, foreign.effect
    );
    Some(problem(ReasonCode::NoMatchingPool, text, hint))
}

/// A taint that is missing: other work may be placed on the node.
fn untainted(pool: &RunnerPool, name: &str, taints: &[Taint]) -> Option<Reason> {
    let is_there = |own: &hostler_core::runner::Taint| {
        taints
            .iter()
            .any(|taint| taint.key == own.key && taint.effect == own.effect)
    };
    let own = pool.taints.iter().find(|own| !is_there(own))?;
    let taint = format!("{}={}:{}", own.key, own.value, own.effect);
    let text = format!("node {name} lacks the taint {taint}: other work may be placed on it");
    Some(problem(
        ReasonCode::NoMatchingPool,
        text,
        format!("kubectl taint nodes {name} {taint}"),
    ))
}
