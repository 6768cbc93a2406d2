//! What reading costs with a thousand runners, and how much memory they take.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, stream};
use hostler_core::runner::RunnerId;
use hostler_runners::provider::{Provider as _, Snapshot};
use serde_json::{Value, json};

use crate::life::{Life, live, request, seen};
use crate::server::Server;
use crate::{AT_ONCE, figure};

const RUNNERS: usize = 1_000;
/// So many come before anything is measured.
const WARM: usize = 100;
const JOBS: usize = 400;
const READS: usize = 2_000;

pub(crate) async fn bench() -> Result<()> {
    let server = Server::start(&[])?;
    make_programs(&server).await?;
    let life = live(server.client().await?).await?;
    let empty = resident()?;
    // What connections and buffers take is taken by then.
    let few = grown(&life, WARM, WARM).await?;
    let began = Instant::now();
    let full = grown(&life, RUNNERS - WARM, RUNNERS).await?;
    let took = began.elapsed().as_secs_f64();
    figure("900 asked for and seen ready", (took, "s"), None);
    mebibytes("resident without runners", empty, None);
    mebibytes("resident with 1,000 runners", full, Some("<= 30"));
    kibibytes(
        "memory of a runner",
        full.saturating_sub(few),
        RUNNERS - WARM,
        None,
    );
    reads(&life)?;
    jobs(&life).await
}

async fn make_programs(server: &Server) -> Result<()> {
    let labels = json!({"app": "daytona-runner"});
    let set = json!({"metadata": {"name": "daytona-runner"}, "spec": {
        "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "nodeSelector": {"daytona-sandbox-c": "true"},
            "tolerations": [{"key": "sandbox", "operator": "Exists"}],
            "containers": [{"name": "runner", "image": "runner:1"}]}}}});
    let request = axum::http::Request::post("/apis/apps/v1/namespaces/default/daemonsets")
        .header("content-type", "application/json")
        .body(set.to_string().into_bytes())?;
    let _made: Value = server.client().await?.request(request).await?;
    Ok(())
}

fn ready(seen: &Snapshot) -> usize {
    seen.runners
        .values()
        .filter(|one| one.program.is_ready)
        .count()
}

fn reads(life: &Life) -> Result<()> {
    let ids: Vec<RunnerId> = life
        .provider
        .snapshots()
        .borrow()
        .runners
        .keys()
        .cloned()
        .collect();
    let lists = (0..READS / 10).map(|_| {
        let began = Instant::now();
        let list = serde_json::to_vec(&life.manager.runners());
        (began.elapsed(), list.is_ok_and(|text| text.len() > RUNNERS))
    });
    figure("list of 1,000, p99", (p99(lists.collect())?, "µs"), None);
    let gets = (0..READS).map(|index| {
        let began = Instant::now();
        let one = life.manager.runner(&ids[index % ids.len()]);
        (began.elapsed(), one.is_some())
    });
    figure("get of one, p99", (p99(gets.collect())?, "µs"), None);
    Ok(())
}

fn p99(mut times: Vec<(Duration, bool)>) -> Result<f64> {
    anyhow::ensure!(
        times.iter().all(|(_, is_right)| *is_right),
        "a wrong answer"
    );
    times.sort_unstable();
    Ok(times[times.len() * 99 / 100].0.as_secs_f64() * 1e6)
}

/// Adds so many in one job; what is resident when all of them are ready.
async fn grown(life: &Life, count: usize, total: usize) -> Result<usize> {
    life.manager.add(request(count)).await?;
    seen(life, |seen| ready(seen) == total).await?;
    resident()
}

/// Jobs of one runner each; each runner is counted with its job.
async fn jobs(life: &Life) -> Result<()> {
    asked(life, WARM).await?;
    let few = resident()?;
    asked(life, JOBS).await?;
    let grown = resident()?.saturating_sub(few);
    kibibytes("memory of a job and its one runner", grown, JOBS, None);
    Ok(())
}

async fn asked(life: &Life, count: usize) -> Result<()> {
    let before = life.provider.snapshots().borrow().runners.len();
    let asked = stream::iter(0..count).map(|_| life.manager.add(request(1)));
    let asked: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    asked.into_iter().collect::<Result<Vec<_>, _>>()?;
    seen(life, |seen| ready(seen) == before + count).await
}

fn mebibytes(name: &str, bytes: usize, aim: Option<&str>) {
    figure(name, (bytes as f64 / f64::from(1 << 20), "MiB"), aim);
}

fn kibibytes(name: &str, bytes: usize, count: usize, aim: Option<&str>) {
    figure(name, (bytes as f64 / 1024.0 / count as f64, "KiB"), aim);
}

/// Memory of this process that is resident, in bytes.
fn resident() -> Result<usize> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: usize = line
        .context("VmRSS")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib << 10)
}
