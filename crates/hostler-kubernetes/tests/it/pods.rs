//! The placeholder pod, as the contract has it.

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{PLACEHOLDERS, Rig, pools, word};

async fn placeholder(rig: &Rig) -> Result<Value> {
    let life = rig.home.live().await?;
    life.add(1).await;
    rig.until(|view| view.pods(PLACEHOLDERS).len() == 1).await?;
    Ok(rig.cluster.look(|view| view.pods(PLACEHOLDERS)[0].clone()))
}

#[tokio::test]
async fn row_1_placeholder_pod_selects_the_labelled_and_tainted_pool() -> Result<()> {
    let rig = Rig::stepped(1).await?;
    let pod = placeholder(&rig).await?;
    assert!(word(&pod["metadata"]["name"]).starts_with("node-placeholder-"));
    assert_eq!(pod["metadata"]["labels"]["app"], "node-placeholder");
    assert_eq!(
        pod["spec"]["nodeSelector"],
        json!({"daytona-sandbox-c": "true"})
    );
    let toleration = json!({"key": "sandbox", "operator": "Equal", "value": "true",
        "effect": "NoSchedule"});
    assert!(
        pod["spec"]["tolerations"]
            .as_array()
            .unwrap()
            .contains(&toleration)
    );
    let requests = &pod["spec"]["containers"][0]["resources"]["requests"];
    assert_eq!(*requests, json!({"cpu": "10m", "memory": "50Mi"}));
    Ok(())
}

#[tokio::test]
async fn row_2_20_placeholders_of_all_namespaces_keep_apart_and_name_their_manager() -> Result<()> {
    let rig = Rig::stepped(1).await?;
    let pod = placeholder(&rig).await?;
    let terms = &pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(terms[0]["topologyKey"], "kubernetes.io/hostname");
    assert_eq!(terms[0]["namespaceSelector"], json!({}));
    let wanted = json!([{"key": "app", "operator": "In", "values": ["node-placeholder"]}]);
    assert_eq!(terms[0]["labelSelector"]["matchExpressions"], wanted);
    assert_eq!(
        pod["metadata"]["labels"]["hostler.dev/manager"],
        "runner-manager"
    );
    Ok(())
}

#[tokio::test]
async fn requirement_7_a_placeholder_is_pinned_and_outlasts_a_node_that_is_not_ready() -> Result<()>
{
    let rig = Rig::stepped(1).await?;
    let pod = placeholder(&rig).await?;
    let annotations = &pod["metadata"]["annotations"];
    assert_eq!(
        annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"],
        "false"
    );
    assert_eq!(annotations["karpenter.sh/do-not-disrupt"], "true");
    let tolerations = pod["spec"]["tolerations"].as_array().unwrap();
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let found: Vec<&Value> = tolerations.iter().filter(|one| one["key"] == key).collect();
        assert_eq!(found.len(), 1, "{key}: {tolerations:?}");
        assert_eq!(found[0]["tolerationSeconds"], Value::Null, "for ever");
    }
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
    assert_eq!(pod["spec"]["terminationGracePeriodSeconds"], 1);
    Ok(())
}

#[tokio::test]
async fn requirement_7_a_placeholder_passes_pod_security_restricted() -> Result<()> {
    let mut rig = Rig::instant(1).await?;
    let strict = json!({"metadata": {"name": "strict",
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    rig.make("/api/v1/namespaces", strict).await?;
    rig.home.settings.namespace = "strict".to_owned();
    let life = rig.home.live().await?;
    life.add(1).await;
    assert_eq!(rig.count(), 1);
    Ok(())
}

#[tokio::test]
async fn row_2_08_a_job_s_marks_are_on_its_pods() -> Result<()> {
    let rig = Rig::stepped(1).await?;
    let life = rig.home.live().await?;
    let answer = life.add(2).await;
    for (index, name) in answer.names().iter().enumerate() {
        let pod = rig
            .cluster
            .look(|view| view.pod("default", name))
            .expect("a pod");
        let labels = &pod["metadata"]["labels"];
        assert_eq!(labels["hostler.dev/job-id"], answer.job());
        assert_eq!(labels["hostler.dev/index"], index.to_string());
        assert_eq!(labels["hostler.dev/pool"], "default");
    }
    Ok(())
}

#[tokio::test]
async fn requirement_8_and_10_image_priority_and_a_pool_s_wishes_are_in_the_pod() -> Result<()> {
    let mut rig = Rig::stepped(1).await?;
    rig.home.settings.image = "example.test/pause:1".to_owned();
    rig.home.settings.priority_class = Some("placeholder".to_owned());
    rig.make(
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        json!({"metadata": {"name": "placeholder"}, "value": -5}),
    )
    .await?;
    let pool = "[[pool]]\nname = \"default\"\nzones = [\"a\", \"b\"]\narch = \"arm64\"\n";
    rig.home.pools = pools(pool)?;
    let pod = placeholder(&rig).await?;
    assert_eq!(
        pod["spec"]["containers"][0]["image"],
        "example.test/pause:1"
    );
    assert_eq!(pod["spec"]["priorityClassName"], "placeholder");
    let terms = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        ["nodeSelectorTerms"];
    let zone =
        json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]});
    let arch = json!({"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]});
    assert_eq!(terms[0]["matchExpressions"], json!([zone, arch]));
    Ok(())
}
