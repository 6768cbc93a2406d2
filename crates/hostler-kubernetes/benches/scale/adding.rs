//! What adding costs beside the bare pods.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::{StreamExt as _, stream};
use hostler_core::id::JobId;
use hostler_core::runner::job::Job;
use hostler_core::runner::{Mark, RunnerPool};
use hostler_kubernetes::Settings;
use hostler_runners::clock::steady;
use hostler_runners::provider::Order;
use k8s_openapi::api::core::v1::Pod;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::life::{live, pools, request};
use crate::server::Server;
use crate::{AT_ONCE, figure};

const ADDED: usize = 500;

/// As fast as the server in memory is, and as slow as a real one.
pub(crate) async fn bench() -> Result<()> {
    compared("in memory", &["empty"], None).await?;
    compared("at 50 ms a create", &["empty", "slow"], Some("<= 1.1")).await
}

/// Five hundred through the manager, and five hundred bare ones, in turns on
/// fresh servers without nodes; the best round of each.
async fn compared(name: &str, arguments: &[&str], aim: Option<&str>) -> Result<()> {
    let (mut bare, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let server = Server::start(arguments)?;
        bare = bare.min(bare_creates(server.client().await?).await?);
        let server = Server::start(arguments)?;
        let life = live(server.client().await?).await?;
        let began = Instant::now();
        life.manager.add(request(ADDED)).await?;
        ours = ours.min(began.elapsed());
    }
    let (bare, ours) = (bare.as_secs_f64(), ours.as_secs_f64());
    figure(
        &format!("500 bare creates, {name}"),
        (bare * 1e3, "ms"),
        None,
    );
    figure(&format!("add 500, {name}"), (ours * 1e3, "ms"), None);
    figure(
        &format!("add 500 over bare, {name}"),
        (ours / bare, "times"),
        aim,
    );
    Ok(())
}

/// The same pods, by the same client, without anything around it.
async fn bare_creates(client: Client) -> Result<Duration> {
    let api: Api<Pod> = Api::namespaced(client, "default");
    let pool = &pools()?[0];
    let pods = (0..ADDED)
        .map(|index| bare(pool, index))
        .collect::<Result<Vec<_>>>()?;
    let began = Instant::now();
    let made = stream::iter(pods).map(|pod| {
        let api = api.clone();
        async move { api.create(&PostParams::default(), &pod).await }
    });
    let made: Vec<_> = made.buffer_unordered(AT_ONCE).collect().await;
    made.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(began.elapsed())
}

fn bare(pool: &Arc<RunnerPool>, index: usize) -> Result<Pod> {
    let settings = Settings::read(|_| None)?;
    let now = steady()();
    let job = JobId::from_parts(1, [0; 10]);
    let index = u32::try_from(index)?;
    let order = Order {
        id: Job::runner_id(job, index),
        mark: Mark {
            job,
            index,
            requested_at: now,
            deadline: now,
        },
        pool: Arc::clone(pool),
        machine: None,
    };
    Ok(hostler_kubernetes::placeholder(&settings, &order)?)
}
