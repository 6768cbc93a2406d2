//! From a deploy request on NATS to its acceptance, with a warm slot, in units
//! of a bare NATS round trip.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_nats::{Client, jetstream};
use chrono::Utc;
use hostler_e2e::fleet::Fleet;
use hostler_e2e::{eventually, nats, programs};
use hostler_wire::nats::envelope;
use hostler_wire::nats::{
    DeployReply, InfoReply, Location, Message as _, NewDeploy, PingReply, subject,
};
use nkeys::{KeyPair, XKey};

use crate::figures::{Times, figure};

const MIB: usize = 1 << 20;
const BUCKET: &str = "BENCH";

struct Bench {
    client: Client,
    issuer: KeyPair,
    sender: XKey,
    node: String,
    xkey: String,
}

pub(crate) async fn bench(unit: Duration) -> Result<()> {
    let fleet = Fleet::up().await?;
    let client = nats::connect(&fleet).await?;
    let bench = meet(client).await?;
    let store = object_store(&bench.client).await?;
    let elf = padded(std::fs::read(programs::sleeper(fleet.folder())?)?, MIB);
    let wasm = padded_module()?;
    for (kind, bytes, aim) in [
        ("elf", elf, "<= 60 (the original 168)"),
        ("wasm", wasm, "<= 100 (the original 511)"),
    ] {
        let name = format!("{kind}, {:.2} MiB", bytes.len() as f64 / MIB as f64);
        store.put(kind, &mut bytes.as_slice()).await?;
        let times = many(&bench, kind).await?;
        let units = |share| (times.micros(share) / 1e6 / unit.as_secs_f64(), "units");
        figure(
            "deploy, warm, to accepted",
            &format!("{name}, p50"),
            units(0.5),
            Some(aim),
        );
        figure(
            "deploy, warm, to accepted",
            &format!("{name}, p90"),
            units(0.9),
            None,
        );
    }
    Ok(())
}

/// Finds the node and asks for its key.
async fn meet(client: Client) -> Result<Bench> {
    let ping = client.request(subject::PING, "".into()).await?;
    let ping: PingReply = envelope::decode(&ping.payload)?;
    let info = client
        .request(subject::info("bench", &ping.node_id), "".into())
        .await?;
    let info: InfoReply = envelope::decode(&info.payload)?;
    Ok(Bench {
        client,
        issuer: KeyPair::new_account(),
        sender: XKey::new(),
        node: ping.node_id,
        xkey: info.public_xkey,
    })
}

async fn object_store(client: &Client) -> Result<jetstream::object_store::ObjectStore> {
    let config = jetstream::object_store::Config {
        bucket: BUCKET.into(),
        ..Default::default()
    };
    let store = jetstream::new(client.clone())
        .create_object_store(config)
        .await;
    store.context("could not make the bucket")
}

async fn many(bench: &Bench, kind: &str) -> Result<Times> {
    let mut times = Vec::new();
    for round in 0..if crate::is_quick() { 5 } else { 30 } {
        // The slot must be warm: that it boots is not what is measured.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (taken, id) = one(bench, kind).await?;
        if round > 0 {
            times.push(taken);
        }
        stop(bench, &id, kind).await?;
    }
    Ok(Times::new(times))
}

async fn one(bench: &Bench, kind: &str) -> Result<(Duration, String)> {
    let request = NewDeploy {
        name: kind.to_owned(),
        r#type: kind.to_owned(),
        description: "bench".to_owned(),
        location: Location::object(BUCKET, kind),
        environment: BTreeMap::new(),
        trigger_subjects: if kind == "wasm" {
            vec!["bench.deploy".into()]
        } else {
            Vec::new()
        },
        ..NewDeploy::default()
    };
    let node = (bench.node.as_str(), bench.xkey.as_str());
    let request = request
        .request(&bench.issuer, &bench.sender, node, Utc::now())?
        .encode();
    let subject = subject::deploy("bench", &bench.node);
    let started = Instant::now();
    let reply = bench.client.request(subject, request.into()).await?;
    let taken = started.elapsed();
    let reply: DeployReply = envelope::decode(&reply.payload)?;
    Ok((taken, reply.id))
}

async fn stop(bench: &Bench, id: &str, name: &str) -> Result<()> {
    let claims = hostler_wire::nats::Claims::workload(name, None);
    let request = hostler_wire::nats::StopRequest {
        workload_id: id.to_owned(),
        workload_jwt: claims.sign(&bench.issuer, Utc::now())?,
        target_node: bench.node.clone(),
    };
    let subject = subject::stop("bench", &bench.node);
    let answer = eventually("it stops", || async {
        bench
            .client
            .request(subject.clone(), request.encode().into())
            .await
            .ok()
    });
    let _: hostler_wire::nats::StopReply = envelope::decode(&answer.await?.payload)?;
    Ok(())
}

/// A file of a size, by zeros behind what it holds.
fn padded(mut bytes: Vec<u8>, size: usize) -> Vec<u8> {
    bytes.resize(size.max(bytes.len()), 0);
    bytes
}

/// A module of 1 MiB, most of it code, so that there is something to compile.
fn padded_module() -> Result<Vec<u8>> {
    let function = |number: i32| {
        let other = number * 7 + 1;
        format!(
            "(func (export \"f{number}\") (param i32) (result i32) \
             (i32.add (i32.mul (local.get 0) (i32.const {number})) \
             (i32.xor (local.get 0) (i32.const {other}))))\n"
        )
    };
    let functions: String = (0..40_000).map(function).collect();
    let module = programs::ECHO_WAT.trim_end().trim_end_matches(')');
    // The text ends with the module's own bracket; one was taken too many.
    let open = module.matches('(').count() - module.matches(')').count();
    let text = format!("{module}{}{functions})", ")".repeat(open - 1));
    let bytes = wat::parse_str(text)?;
    anyhow::ensure!(bytes.len() > MIB / 3, "{} bytes", bytes.len());
    Ok(bytes)
}
