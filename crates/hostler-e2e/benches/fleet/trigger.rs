//! A function's answer, in units of a bare NATS round trip.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_nats::Client;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_daemon::process::ProcessId;
use hostler_e2e::fleet::Fleet;
use hostler_e2e::{nats, processes, programs};
use hostler_wire::rest::Resources;

use crate::figures::{Times, figure};
use crate::memory::{private, resident};

const PAYLOAD: [u8; 128] = [b'x'; 128];

/// One bare round trip over the server of a fleet: what other times of the
/// same run are told in.
pub(crate) async fn unit(fleet: &Fleet) -> Result<Duration> {
    let client = nats::connect(fleet).await?;
    let bare = answer_bare(&nats::connect(fleet).await?).await?;
    let rounds = if crate::is_quick() { 500 } else { 5_000 };
    one_by_one(&client, "bench.bare", rounds / 5).await?;
    let unit = one_by_one(&client, "bench.bare", rounds).await?;
    bare.abort();
    Ok(Duration::from_secs_f64(unit.micros(0.5) / 1e6))
}

/// A kind of function, what is measured of it, and what is aimed at.
struct Echo {
    kind: Kind,
    subject: &'static str,
    group: &'static str,
    aims: (&'static str, &'static str),
}

const WASM: Echo = Echo {
    kind: Kind::Wasm,
    subject: "bench.wasm",
    group: "trigger (wasm echo, 128 B)",
    aims: ("<= 2.5 (the original 4.3)", ">= 0.3 (the original 0.07)"),
};

const JS: Echo = Echo {
    kind: Kind::V8,
    subject: "bench.js",
    group: "trigger (JavaScript echo, 128 B)",
    aims: ("<= 5 (the original 15)", ""),
};

pub(crate) async fn bench() -> Result<()> {
    echo(WASM, wat::parse_str(programs::ECHO_WAT)?).await?;
    echo(JS, programs::ECHO_JS.into()).await
}

async fn echo(echo: Echo, artifact: Vec<u8>) -> Result<()> {
    let fleet = Fleet::up().await?;
    let client = nats::connect(&fleet).await?;
    if echo.kind == Kind::Wasm {
        memory(&fleet, "size", "idle")?;
    }
    let bare = answer_bare(&nats::connect(&fleet).await?).await?;
    let workload = fleet.create("echo", echo.kind, artifact, |body| {
        body.triggers = vec![echo.subject.into()];
        // The bare responder is not held to a part of a processor either.
        body.resources = Some(Resources {
            cpu_millis: 2_000,
            memory_bytes: 256 << 20,
        });
    });
    fleet
        .wait_for(&workload.await?, WorkloadStatus::Running)
        .await?;
    latency(&client, &echo).await?;
    rates(&client, &echo).await?;
    flat(&fleet, &client, &echo).await?;
    bare.abort();
    Ok(())
}

fn rounds() -> usize {
    if crate::is_quick() { 500 } else { 5_000 }
}

async fn latency(client: &Client, echo: &Echo) -> Result<()> {
    one_by_one(client, echo.subject, rounds() / 5).await?;
    one_by_one(client, "bench.bare", rounds() / 5).await?;
    let unit = one_by_one(client, "bench.bare", rounds()).await?;
    let trigger = one_by_one(client, echo.subject, rounds()).await?;
    let units = |share| (trigger.micros(share) / unit.micros(0.5), "units");
    let bare = (unit.micros(0.5), "µs");
    figure(echo.group, "one bare NATS round trip, p50", bare, None);
    figure(echo.group, "trigger p50", units(0.5), Some(echo.aims.0));
    figure(echo.group, "trigger p99", units(0.99), None);
    Ok(())
}

async fn rates(client: &Client, echo: &Echo) -> Result<()> {
    for in_flight in [1, 8, 32] {
        let work = (rounds() * 2, in_flight);
        let bare = per_second(client, "bench.bare", work).await?;
        let calls = per_second(client, echo.subject, work).await?;
        let aim = (in_flight == 32 && !echo.aims.1.is_empty()).then_some(echo.aims.1);
        let name = format!("calls/s at {in_flight} in flight, of {bare:.0}/s bare");
        figure(echo.group, &name, (calls / bare, "of bare"), aim);
    }
    Ok(())
}

async fn answer_bare(client: &Client) -> Result<tokio::task::JoinHandle<()>> {
    let mut messages = client.subscribe("bench.bare").await?;
    client.flush().await?;
    let client = client.clone();
    Ok(tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            let Some(reply) = message.reply else { continue };
            // A lost answer shows as a failed request on the other side.
            let _ = client.publish(reply, message.payload).await;
        }
    }))
}

async fn one_by_one(client: &Client, subject: &'static str, rounds: usize) -> Result<Times> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        client
            .request(subject, Bytes::from_static(&PAYLOAD))
            .await?;
        times.push(started.elapsed());
    }
    Ok(Times::new(times))
}

async fn per_second(
    client: &Client,
    subject: &'static str,
    (rounds, in_flight): (usize, usize),
) -> Result<f64> {
    let started = Instant::now();
    let calls = stream::iter(0..rounds)
        .map(|_| client.request(subject, Bytes::from_static(&PAYLOAD)))
        .buffer_unordered(in_flight);
    let failed = calls
        .filter(|answer| std::future::ready(answer.is_err()))
        .count()
        .await;
    anyhow::ensure!(
        failed == 0,
        "{failed} of {rounds} requests on {subject} failed"
    );
    Ok(rounds as f64 / started.elapsed().as_secs_f64())
}

/// Memory before and after many calls.
async fn flat(fleet: &Fleet, client: &Client, echo: &Echo) -> Result<()> {
    let rounds = if crate::is_quick() { 5_000 } else { 100_000 };
    let parts = parts(fleet)?;
    let before: Vec<f64> = parts
        .iter()
        .map(|(_, id)| resident(*id))
        .collect::<Result<_>>()?;
    per_second(client, echo.subject, (rounds, 32)).await?;
    for ((name, id), before) in parts.iter().zip(before) {
        let text = format!(
            "{name}: growth over {rounds} triggers of {}, from {before:.1} MB",
            echo.kind.as_str()
        );
        figure(
            "memory",
            &text,
            (resident(*id)? - before, "MB"),
            Some("flat"),
        );
    }
    Ok(())
}

fn memory(fleet: &Fleet, group: &str, when: &str) -> Result<()> {
    for (name, id) in parts(fleet)? {
        let aim = match name {
            "control plane" => "<= 25",
            "node" => "<= 15",
            _ => "<= 4 (the original 10)",
        };
        figure(
            group,
            &format!("{name}, resident, {when}"),
            (resident(id)?, "MB"),
            Some(aim),
        );
        let own = format!("{name}, of that its own (not mapped files), {when}");
        figure(group, &own, (private(id)?, "MB"), None);
    }
    Ok(())
}

/// The control plane, the node, and the agent that has run longest.
fn parts(fleet: &Fleet) -> Result<Vec<(&'static str, ProcessId)>> {
    let mut agents: Vec<_> = processes::below(&fleet.data())
        .into_iter()
        .filter(|found| {
            let program = found.command.split(' ').next();
            program.is_some_and(|path| path.ends_with("hostler-agent"))
        })
        .map(|found| found.id)
        .collect();
    agents.sort_by_key(|id| id.started);
    Ok(vec![
        (
            "control plane",
            fleet.part("control").context("a control plane")?,
        ),
        ("node", fleet.part("node").context("a node")?),
        ("agent", *agents.first().context("an agent")?),
    ])
}
