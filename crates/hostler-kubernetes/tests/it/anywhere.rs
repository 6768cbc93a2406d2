//! Cases that need an API server and nothing behind it: they run against the
//! simulated one and, when `HOSTLER_TEST_KUBECONFIG` is set, against that one.
//! Each has a namespace of its own.

use anyhow::{Context as _, Result};
use kube::Client;
use serde_json::{Value, json};

use crate::support::{Home, Life, Rig, SOON, make, pools};

/// Where a case runs.
struct Place {
    home: Home,
    admin: Client,
}

async fn everywhere(name: &str, case: impl AsyncFn(&Place) -> Result<()>) -> Result<()> {
    let rig = Rig::stepped(0).await?;
    let admin = rig.admin().await?;
    run(rig.home, admin, name, &case)
        .await
        .context("simulated")?;
    if let Ok(path) = std::env::var("HOSTLER_TEST_KUBECONFIG") {
        let home = Home::new(&std::fs::read_to_string(path)?)?;
        let admin = hostler_kubernetes::connect::connect(Some(&home.kubeconfig)).await?;
        run(home, admin, name, &case).await.context("real")?;
    }
    Ok(())
}

async fn run(
    mut home: Home,
    admin: Client,
    name: &str,
    case: &impl AsyncFn(&Place) -> Result<()>,
) -> Result<()> {
    let space = format!("hostler-{name}-{}", std::process::id());
    // Nothing that this cluster has carries it: nothing is placed anywhere.
    let pool = "[[pool]]\nname = \"default\"\nselector = { nowhere = \"true\" }\n";
    home.pools = pools(pool)?;
    home.settings.namespace.clone_from(&space);
    home.settings.programs_in.clone_from(&space);
    let body = json!({"metadata": {"name": space,
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    make(&admin, "/api/v1/namespaces", &body).await?;
    let place = Place { home, admin };
    let ran = case(&place).await;
    let path = format!("/api/v1/namespaces/{space}");
    let request = axum::http::Request::delete(path).body(Vec::new())?;
    let _gone: Value = place.admin.request(request).await?;
    ran
}

impl Place {
    async fn pods(&self) -> Result<Vec<Value>> {
        let space = &self.home.settings.namespace;
        let path = format!("/api/v1/namespaces/{space}/pods?labelSelector=app%3Dnode-placeholder");
        let request = axum::http::Request::get(path).body(Vec::new())?;
        let list: Value = self.admin.request(request).await?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }
}

async fn empty(life: &Life) -> Result<()> {
    life.until(SOON, "/runners", |body| body == &json!([]))
        .await
        .map(|_| ())
}

#[tokio::test]
async fn adding_listing_repeating_and_removing() -> Result<()> {
    everywhere("basics", async |place| {
        let life = place.home.live().await?;
        let answer = life.ask(3, "k").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(place.pods().await?.len(), 3);
        let again = life.ask(3, "k").await;
        assert_eq!(again.names(), answer.names());
        assert_eq!(place.pods().await?.len(), 3);
        life.seen(|seen| seen.runners.len() == 3).await?;
        life.all(&answer.names(), "pending").await?;
        let gone = life.remove(&answer.names()).await;
        life.job(&gone.job(), "completed").await?;
        assert_eq!(place.pods().await?.len(), 0);
        empty(&life).await
    })
    .await
}

#[tokio::test]
async fn jobs_outlive_their_manager() -> Result<()> {
    everywhere("restart", async |place| {
        let life = place.home.live().await?;
        let answer = life.ask(2, "k").await;
        life.end().await;
        let life = place.home.live().await?;
        life.job(&answer.job(), "running").await?;
        let again = life.ask(2, "k").await;
        assert_eq!(again.names(), answer.names());
        assert_eq!(place.pods().await?.len(), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_full_quota_leaves_nothing_behind() -> Result<()> {
    everywhere("quota", async |place| {
        let space = &place.home.settings.namespace;
        let quota = json!({"metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}});
        make(
            &place.admin,
            &format!("/api/v1/namespaces/{space}/resourcequotas"),
            &quota,
        )
        .await?;
        let life = place.home.live().await?;
        let answer = life.ask(6, "").await;
        assert_eq!(answer.status, 429, "{answer:?}");
        assert_eq!(place.pods().await?.len(), 0);
        empty(&life).await
    })
    .await
}

#[tokio::test]
async fn one_of_two_leads() -> Result<()> {
    everywhere("lease", async |place| {
        let one = place.home.live().await?;
        let mut leads = one.leads.clone();
        tokio::time::timeout(SOON, leads.wait_for(|leads| *leads)).await??;
        let mut other = Home::new(&std::fs::read_to_string(&place.home.kubeconfig)?)?;
        other.settings = place.home.settings.clone();
        other.settings.replica = "other".to_owned();
        let two = other.live().await?;
        assert!(!*two.leads.borrow());
        one.end().await;
        let mut leads = two.leads.clone();
        tokio::time::timeout(SOON, leads.wait_for(|leads| *leads)).await??;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_namespace_that_is_missing_is_said() -> Result<()> {
    everywhere("missing", async |place| {
        let mut home = Home::new(&std::fs::read_to_string(&place.home.kubeconfig)?)?;
        home.settings.namespace = "hostler-nowhere".to_owned();
        let life = home.live().await?;
        let answer = life.ask(1, "").await;
        assert!(answer.status >= 500, "{answer:?}");
        assert!(answer.body.to_string().contains("not found"), "{answer:?}");
        Ok(())
    })
    .await
}
