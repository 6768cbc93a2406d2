//! A thousand runners: what reading costs, how much memory they take, and what
//! adding costs beside what the API server takes for the bare pods. One JSON
//! object a line on standard output.
//!
//! The API server is a process of its own (this program again, with
//! `api-server` as its argument), so that its memory and its time are not ours.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, stream};
use hostler_core::runner::{RunnerId, RunnerPool};
use hostler_kubernetes::connect::connect;
use hostler_kubernetes::{Kubernetes, Settings, start};
use hostler_kubesim::{Cluster, Options, Pool, Timings};
use hostler_runners::clock::steady;
use hostler_runners::config::{RunnersFile, pools_of};
use hostler_runners::fleet::NoFleet;
use hostler_runners::manager::{AddRequest, Manager, Parts, Rules};
use hostler_runners::provider::{Provider as _, Snapshot};
use k8s_openapi::api::core::v1::Pod;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const RUNNERS: usize = 1_000;
const ADDED: usize = 500;
const JOBS: usize = 500;
const READS: usize = 2_000;
const AT_ONCE: usize = 16;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if std::env::args().any(|argument| argument == "api-server") {
        return runtime.block_on(api_server());
    }
    runtime.block_on(bench())
}

/// Serves until standard input ends. With the argument `empty`, it has no pool.
async fn api_server() -> Result<()> {
    let max = if std::env::args().any(|argument| argument == "empty") {
        0
    } else {
        RUNNERS
    };
    let pool = Pool {
        boot: Some(Duration::ZERO),
        ready: Some(Duration::ZERO),
        ..Pool::runners(max)
    };
    let timings = Timings::instant();
    let cluster = Cluster::start(Options {
        pools: vec![pool],
        timings,
        ..Options::default()
    })
    .await?;
    println!("{}", cluster.kubeconfig("admin", "default"));
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    drop(cluster);
    Ok(())
}

/// An API server in a process of its own, and its kubeconfig.
struct Server(Child, tempfile::NamedTempFile);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("api-server")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("an output")?;
        std::io::BufReader::new(output).read_line(&mut line)?;
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), line)?;
        Ok(Self(child, file))
    }

    async fn client(&self) -> Result<Client> {
        Ok(connect(Some(self.1.path())).await?)
    }
}

struct Life {
    manager: Manager,
    provider: Arc<Kubernetes>,
    stop: CancellationToken,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn live(client: Client) -> Result<Life> {
    let stop = CancellationToken::new();
    let pools: Vec<Arc<RunnerPool>> = RunnersFile::parse("")
        .and_then(|file| pools_of(&file))
        .map_err(anyhow::Error::msg)?;
    let started = start(client, Settings::read(|_| None)?, &pools, steady(), &stop);
    let provider = started.provider;
    let rules = Rules {
        max_add: 10_000,
        ..Rules::default()
    };
    let manager = Manager::start(
        Parts {
            provider: provider.clone(),
            book: started.book,
            fleet: Arc::new(NoFleet::default()),
            pools,
            rules,
            clock: steady(),
            leads: started.leads.clone(),
        },
        stop.clone(),
    );
    manager.loaded().await;
    provider.seen_once().await;
    let mut leads = started.leads;
    leads.wait_for(|leads| *leads).await?;
    Ok(Life {
        manager,
        provider,
        stop,
    })
}

async fn bench() -> Result<()> {
    adding().await?;
    reading().await
}

/// Five hundred through the manager, and five hundred bare ones, in turns on
/// fresh servers without nodes; the best round of each.
async fn adding() -> Result<()> {
    let (mut bare, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let server = Server::start(&["empty"])?;
        bare = bare.min(bare_creates(server.client().await?).await?);
        let server = Server::start(&["empty"])?;
        let life = live(server.client().await?).await?;
        let began = Instant::now();
        life.manager.add(request(ADDED)).await?;
        ours = ours.min(began.elapsed());
    }
    let times = ours.as_secs_f64() / bare.as_secs_f64();
    figure(
        "bare creates of 500 pods at 16 in flight",
        (bare.as_secs_f64() * 1e3, "ms"),
        None,
    );
    figure("add 500", (ours.as_secs_f64() * 1e3, "ms"), None);
    figure(
        "add 500 over bare creates",
        (times, "times"),
        Some("<= 1.1"),
    );
    Ok(())
}

fn request(count: usize) -> AddRequest {
    AddRequest {
        count: i64::try_from(count).ok(),
        ..AddRequest::default()
    }
}

/// The same pods, by the same client, without anything around it.
async fn bare_creates(client: Client) -> Result<Duration> {
    let api: Api<Pod> = Api::namespaced(client, "default");
    let began = Instant::now();
    let made = stream::iter(0..ADDED).map(|index| {
        let api = api.clone();
        async move {
            api.create(&PostParams::default(), &bare(index)?)
                .await
                .map_err(anyhow::Error::from)
        }
    });
    let made: Vec<Result<Pod>> = made.buffer_unordered(AT_ONCE).collect().await;
    made.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(began.elapsed())
}

fn bare(index: usize) -> Result<Pod> {
    use hostler_core::id::JobId;
    use hostler_core::runner::Mark;
    let settings = Settings::read(|_| None)?;
    let now = steady()();
    let pools = RunnersFile::parse("")
        .and_then(|file| pools_of(&file))
        .map_err(anyhow::Error::msg)?;
    let job = JobId::from_parts(1, [0; 10]);
    let index = u32::try_from(index)?;
    let order = hostler_runners::provider::Order {
        id: hostler_core::runner::job::Job::runner_id(job, index),
        mark: Mark {
            job,
            index,
            requested_at: now,
            deadline: now,
        },
        pool: pools[0].clone(),
        machine: None,
    };
    Ok(hostler_kubernetes::placeholder(&settings, &order)?)
}

async fn reading() -> Result<()> {
    let server = Server::start(&[])?;
    make_programs(&server).await?;
    let life = live(server.client().await?).await?;
    let empty = resident()?;
    life.manager.add(request(RUNNERS)).await?;
    let began = Instant::now();
    seen(&life, |seen| ready(seen) == RUNNERS).await?;
    figure(
        "until 1,000 are seen ready",
        (began.elapsed().as_secs_f64(), "s"),
        None,
    );
    let full = resident()?;
    let each = (full.saturating_sub(empty)) as f64 / RUNNERS as f64;
    figure(
        "resident with 1,000 runners",
        (full as f64 / f64::from(1 << 20), "MiB"),
        Some("<= 30"),
    );
    figure(
        "resident without runners",
        (empty as f64 / f64::from(1 << 20), "MiB"),
        None,
    );
    figure("memory of a runner", (each / 1024.0, "KiB"), None);
    reads(&life)?;
    jobs(&life, full).await
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

async fn seen(life: &Life, is_so: impl Fn(&Snapshot) -> bool) -> Result<()> {
    let mut seen = life.provider.snapshots();
    let waiting = seen.wait_for(|seen| is_so(seen));
    tokio::time::timeout(Duration::from_mins(5), waiting).await??;
    Ok(())
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

/// Jobs of one runner each; each runner is counted with its job.
async fn jobs(life: &Life, before: usize) -> Result<()> {
    let asked = stream::iter(0..JOBS).map(|_| life.manager.add(request(1)));
    let asked: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    asked.into_iter().collect::<Result<Vec<_>, _>>()?;
    seen(life, |seen| seen.runners.len() == RUNNERS + JOBS).await?;
    let each = resident()?.saturating_sub(before) as f64 / JOBS as f64 / 1024.0;
    figure(
        "memory of a job with one runner",
        (each, "KiB"),
        Some("<= 10"),
    );
    Ok(())
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

fn figure(name: &str, (value, unit): (f64, &str), aim: Option<&str>) {
    let line = json!({"group": "runners", "name": name, "value": value, "unit": unit, "aim": aim});
    println!("{line}");
}
