//! What is missing is said, with how to mend it.

use anyhow::Result;
use hostler_kubesim::{Options, Pool, Timings};
use hostler_runners::provider::{Check, Provider as _};
use serde_json::{Value, json};

use crate::support::{Life, Rig};

async fn checks(rig: &Rig, life: &Life) -> Vec<Check> {
    life.provider.check(&rig.home.pools).await
}

/// What is wrong with the check of this name: its text and its hint.
fn wrong(checks: &[Check], name: &str) -> Option<(String, String)> {
    let found = checks.iter().find(|check| check.name.starts_with(name));
    let problem = found.expect(name).problem.as_ref()?;
    Some((
        problem.text.clone(),
        problem.hint.clone().unwrap_or_default(),
    ))
}

#[tokio::test]
async fn a_cluster_that_is_as_it_should_be_has_no_problem() -> Result<()> {
    let rig = Rig::instant(2).await?;
    let status = json!({"metadata": {"name": "cluster-autoscaler-status"}});
    rig.make("/api/v1/namespaces/kube-system/configmaps", status)
        .await?;
    rig.cluster.machine_add("runners");
    let life = rig.home.live().await?;
    let found = checks(&rig, &life).await;
    let wrong: Vec<&Check> = found
        .iter()
        .filter(|check| check.problem.is_some())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[tokio::test]
async fn requirement_22_a_pool_that_nobody_fills_is_named_with_the_command_that_helps() -> Result<()>
{
    let rig = Rig::instant(0).await?;
    let life = rig.home.live().await?;
    let found = checks(&rig, &life).await;
    let (text, hint) = wrong(&found, "pool default").expect("a problem");
    assert!(text.contains("daytona-sandbox-c=true"), "{text}");
    assert_eq!(
        hint,
        "kubectl label nodes <node-name> daytona-sandbox-c=true"
    );
    assert!(wrong(&found, "an autoscaler").is_some());
    Ok(())
}

async fn with_taints(taints: &[(&str, &str, &str)]) -> Result<(String, String)> {
    let own = |(key, value, effect): &(&str, &str, &str)| {
        ((*key).to_owned(), (*value).to_owned(), (*effect).to_owned())
    };
    let pool = Pool {
        taints: taints.iter().map(own).collect(),
        boot: Some(std::time::Duration::ZERO),
        ready: Some(std::time::Duration::ZERO),
        ..Pool::runners(1)
    };
    let timings = Timings::instant();
    let rig = Rig::of(Options {
        pools: vec![pool],
        timings,
        ..Options::default()
    })
    .await?;
    rig.cluster.machine_add("runners");
    rig.until(|view| view.nodes().len() == 1).await?;
    let life = rig.home.live().await?;
    Ok(wrong(&checks(&rig, &life).await, "pool default").expect("a problem"))
}

#[tokio::test]
async fn requirement_22_taints_that_do_not_fit_are_named() -> Result<()> {
    let (text, hint) = with_taints(&[]).await?;
    assert!(
        text.contains("lacks the taint sandbox=true:NoSchedule"),
        "{text}"
    );
    assert!(hint.starts_with("kubectl taint nodes runners-"), "{hint}");
    let sandbox = ("sandbox", "true", "NoSchedule");
    let (text, _) = with_taints(&[sandbox, ("gpu", "yes", "NoSchedule")]).await?;
    assert!(text.contains("the taint gpu"), "{text}");
    Ok(())
}

#[tokio::test]
async fn requirement_22_a_runner_program_that_is_elsewhere_is_named() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    rig.home.settings.programs = "app=other".to_owned();
    let life = rig.home.live().await?;
    let (_, hint) = wrong(&checks(&rig, &life).await, "the runner program").expect("a problem");
    assert!(hint.contains("RUNNER_POD_SELECTOR"), "{hint}");
    let pod: Value = json!({"metadata": {"name": "p", "labels": {"app": "other"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}});
    rig.make("/api/v1/namespaces", json!({"metadata": {"name": "far"}}))
        .await?;
    rig.make("/api/v1/namespaces/far/pods", pod).await?;
    let (_, hint) = wrong(&checks(&rig, &life).await, "the runner program").expect("a problem");
    assert!(hint.ends_with("set RUNNER_POD_NAMESPACE=far"), "{hint}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_gone_is_the_only_thing_said() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    let life = rig.home.live().await?;
    rig.cluster.server_stop().await;
    let found = checks(&rig, &life).await;
    assert_eq!(found.len(), 1);
    assert!(wrong(&found, "the API server").is_some());
    Ok(())
}
