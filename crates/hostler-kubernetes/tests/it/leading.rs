//! Of several managers one leads; the others answer reads.

use std::time::Duration;

use anyhow::Result;
use hostler_kubesim::{Effect, Fault};

use crate::support::{Life, Rig, SOON, word};

async fn leads(life: &Life, expected: bool) -> Result<()> {
    let mut leads = life.leads.clone();
    let changed = leads.wait_for(|leads| *leads == expected);
    tokio::time::timeout(SOON, changed).await??;
    Ok(())
}

async fn two(rig: &mut Rig) -> Result<(Life, Life)> {
    rig.home.settings.replica = "one".to_owned();
    let one = rig.home.live().await?;
    leads(&one, true).await?;
    rig.home.settings.replica = "two".to_owned();
    let two = rig.home.live().await?;
    Ok((one, two))
}

#[tokio::test]
async fn requirement_5_a_follower_serves_reads_and_takes_over_at_once_from_one_that_stops()
-> Result<()> {
    let mut rig = Rig::instant(5).await?;
    let (one, two) = two(&mut rig).await?;
    assert!(!*two.leads.borrow());
    let names = rig.at_work(&one, 2).await?;
    two.all(&names, "ready").await?;
    let path = "/jobs";
    two.until(SOON, path, |jobs| {
        jobs.as_array().is_some_and(|all| all.len() == 1)
    })
    .await?;
    one.end().await;
    leads(&two, true).await?;
    let more = rig.at_work(&two, 1).await?;
    assert_eq!((more.len(), rig.count()), (1, 3));
    Ok(())
}

#[tokio::test]
async fn an_addition_through_a_follower_is_made_and_finished() -> Result<()> {
    let mut rig = Rig::instant(5).await?;
    let (_one, two) = two(&mut rig).await?;
    let answer = two.add(3).await;
    two.all(&answer.names(), "ready").await?;
    two.job(&answer.job(), "completed").await?;
    assert_eq!(rig.count(), 3);
    Ok(())
}

#[tokio::test]
async fn a_leader_that_cannot_renew_stops_leading_and_nobody_leads_beside_it() -> Result<()> {
    let mut rig = Rig::instant(5).await?;
    rig.work_as("admin")?;
    rig.home.settings.replica = "one".to_owned();
    let one = rig.home.live().await?;
    leads(&one, true).await?;
    let cut = rig
        .cluster
        .fault(Fault::new(Effect::Error(500)).resource("leases"));
    tokio::time::timeout(SOON, leads(&one, false)).await??;
    rig.home.settings.replica = "two".to_owned();
    let two = rig.home.live().await?;
    assert!(!*two.leads.borrow());
    rig.cluster.heal(cut);
    let first = async {
        tokio::select! {
            led = leads(&one, true) => led,
            led = leads(&two, true) => led,
        }
    };
    tokio::time::timeout(Duration::from_secs(30), first).await??;
    assert!(*one.leads.borrow() != *two.leads.borrow());
    Ok(())
}

#[tokio::test]
async fn a_second_manager_of_another_name_has_runners_of_its_own() -> Result<()> {
    let mut rig = Rig::instant(5).await?;
    let one = rig.home.live().await?;
    let names = rig.at_work(&one, 1).await?;
    rig.home.settings.manager = "other".to_owned();
    let other = rig.home.live().await?;
    let theirs = rig.at_work(&other, 1).await?;
    let list = other.get("/runners").await.body;
    let ids: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| word(&one["id"]))
        .collect();
    assert_eq!(ids, theirs.iter().map(String::as_str).collect::<Vec<_>>());
    let [a, b] = [
        crate::support::node_of(&one, &names[0]).await,
        crate::support::node_of(&other, &theirs[0]).await,
    ];
    assert_ne!(a, b, "never on one node");
    Ok(())
}
