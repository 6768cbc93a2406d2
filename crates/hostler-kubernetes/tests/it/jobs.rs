//! Jobs in the cluster: they outlive every manager.

use anyhow::Result;
use hostler_core::runner::job::Job;
use hostler_kubesim::{Effect, Fault};
use serde_json::{Value, json};

use crate::support::{Life, PLACEHOLDERS, Rig};

/// Asks for five, and kills the manager when so many creates were requested.
async fn killed_after(rig: &Rig, life: Life, creates: u64) -> Result<()> {
    let stop = life.stop.clone();
    let kill = async {
        rig.requested("create", "pods", creates).await?;
        stop.cancel();
        anyhow::Ok(())
    };
    let asking = async {
        tokio::select! {
            _ = life.ask(5, "k") => {}
            () = stop.cancelled() => {}
        }
    };
    let ((), killed) = tokio::join!(asking, kill);
    killed?;
    life.end().await;
    Ok(())
}

#[tokio::test]
async fn edge_killed_between_creates_exactly_the_asked_number_exists() -> Result<()> {
    for creates in [1, 2, 4, 5] {
        let rig = Rig::instant(9).await?;
        let slow = Fault::new(Effect::Slow(std::time::Duration::from_millis(50)));
        rig.cluster.fault(slow.verb("create").resource("pods"));
        let life = rig.home.live().await?;
        killed_after(&rig, life, creates).await?;
        let life = rig.home.live().await?;
        rig.until(|view| view.pods(PLACEHOLDERS).len() == 5).await?;
        let answer = life.ask(5, "k").await;
        life.all(&answer.names(), "ready").await?;
        assert_eq!(rig.count(), 5, "after {creates}");
    }
    Ok(())
}

#[tokio::test]
async fn edge_killed_between_the_job_s_record_and_the_first_create() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    let stuck = rig.cluster.fault(
        Fault::new(Effect::Error(503))
            .verb("create")
            .resource("pods"),
    );
    killed_after(&rig, life, 1).await?;
    assert_eq!(rig.count(), 0);
    rig.cluster.heal(stuck);
    let _life = rig.home.live().await?;
    rig.until(|view| view.pods(PLACEHOLDERS).len() == 5).await?;
    Ok(())
}

#[tokio::test]
async fn edge_killed_after_the_last_create_with_every_answer_lost() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    let lost = rig.cluster.fault(
        Fault::new(Effect::LostReply)
            .verb("create")
            .resource("pods"),
    );
    killed_after(&rig, life, 5).await?;
    rig.cluster.heal(lost);
    let life = rig.home.live().await?;
    let answer = life.ask(5, "k").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    life.all(&answer.names(), "ready").await?;
    assert_eq!(rig.count(), 5);
    Ok(())
}

#[tokio::test]
async fn row_2_08_jobs_are_read_again_after_a_restart() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    let answer = life.add(2).await;
    life.job(&answer.job(), "completed").await?;
    life.end().await;
    let life = rig.home.live().await?;
    let job = life.job(&answer.job(), "completed").await?;
    assert_eq!(job["instances"], 2);
    assert_eq!(job["asked_by"], "ops");
    Ok(())
}

#[tokio::test]
async fn row_2_08_a_job_whose_record_is_gone_is_made_out_from_its_pods() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    let answer = life.add(2).await;
    life.end().await;
    let path = format!(
        "/api/v1/namespaces/default/configmaps/hostler-job-{}",
        answer.job()
    );
    let request = axum::http::Request::delete(path).body(Vec::new())?;
    let _gone: Value = rig.admin().await?.request(request).await?;
    let life = rig.home.live().await?;
    let job = life.job(&answer.job(), "completed").await?;
    assert_eq!(job["instances"], 2);
    assert_eq!(rig.count(), 2, "and nothing is asked for again");
    Ok(())
}

#[tokio::test]
async fn of_two_that_write_the_same_job_one_is_told_so() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    let answer = life.add(1).await;
    life.job(&answer.job(), "completed").await?;
    life.end().await;
    let book = rig.home.begin().await?;
    let stop = book.stop.clone();
    let other = hostler_kubernetes::start(
        book.client.clone(),
        rig.home.settings.clone(),
        &rig.home.pools,
        rig.home.clock(),
        &stop,
    );
    other.provider.seen_once().await;
    let jobs = other.book.list().await?;
    let mut job: Job = jobs.into_iter().next().expect("a job");
    job.revision += 1;
    other.book.replace(&job).await?;
    assert_eq!(
        other.book.replace(&job).await,
        Err(hostler_runners::jobs::BookError::Conflict)
    );
    assert_eq!(
        other.book.insert(&job).await,
        Err(hostler_runners::jobs::BookError::Conflict)
    );
    other.book.remove(job.id).await?;
    other.book.remove(job.id).await?;
    assert_eq!(
        other.book.list().await?.len(),
        1,
        "made out from its pod again"
    );
    Ok(())
}

#[tokio::test]
async fn a_job_is_written_before_the_first_pod_is_asked_for() -> Result<()> {
    let rig = Rig::instant(9).await?;
    let life = rig.home.live().await?;
    rig.cluster.fault(
        Fault::new(Effect::Error(500))
            .verb("create")
            .resource("configmaps"),
    );
    let answer = life.ask(3, "").await;
    assert!(answer.status >= 500, "{answer:?}");
    assert_eq!(rig.cluster.requests("create", "pods"), 0);
    assert_eq!(life.get("/runners").await.body, json!([]));
    Ok(())
}
