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

pub(crate) async fn bench() -> Result<()> {
    let fleet = Fleet::up().await?;
    let unit = crate::trigger::unit(&fleet).await?;
    let client = nats::connect(&fleet).await?;
    let bench = meet(client).await?;
    let store = object_store(&bench.client).await?;
    let elf = padded(std::fs::read(programs::sleeper(fleet.folder())?)?, MIB);
    for (kind, what, bytes, aim) in [
        ("elf", "", elf, Some("<= 60 (the original 168)")),
        (
            "wasm",
            ", most of it data",
            with_data(MIB)?,
            Some("<= 100 (the original 511)"),
        ),
        ("wasm", ", all code", with_code(5_000)?, None),
        (
            "v8",
            ", most of it data",
            script_of(MIB),
            Some("<= 100 (the original 397, and 12 KiB at most)"),
        ),
    ] {
        let size = bytes.len() as f64 / MIB as f64;
        let name = format!("{kind}, {size:.2} MiB{what}");
        store.put(kind, &mut bytes.as_slice()).await?;
        let times = many(&bench, kind).await?;
        let units = |share| (times.micros(share) / 1e6 / unit.as_secs_f64(), "units");
        figure(
            "deploy, warm, to accepted",
            &format!("{name}, p50"),
            units(0.5),
            aim,
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
        // A token is good for one deploy, and names only what it is for.
        let name = format!("{kind}-{round}");
        let (taken, id) = one(bench, kind, &name).await?;
        if round > 0 {
            times.push(taken);
        }
        stop(bench, &id, &name).await?;
    }
    Ok(Times::new(times))
}

async fn one(bench: &Bench, kind: &str, name: &str) -> Result<(Duration, String)> {
    let request = NewDeploy {
        name: name.to_owned(),
        r#type: kind.to_owned(),
        description: "bench".to_owned(),
        location: Location::object(BUCKET, kind),
        environment: BTreeMap::new(),
        trigger_subjects: if kind == "elf" {
            Vec::new()
        } else {
            vec!["bench.deploy".into()]
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

/// The echo function with constants of this size.
fn with_data(size: usize) -> Result<Vec<u8>> {
    // Behind what the function itself keeps, in pages of 64 KiB.
    let pages = size.div_ceil(64 << 10) + 2;
    let data = format!("(data (i32.const 131072) \"{}\")", "x".repeat(size));
    let memory = format!("(memory (export \"memory\") {pages})");
    let module = programs::ECHO_WAT.replace("(memory (export \"memory\") 2)", &memory);
    extended(&module, &data)
}

/// The echo function with a constant of this size.
fn script_of(size: usize) -> Vec<u8> {
    let table = "x".repeat(size);
    format!("const table = '{table}'; {}", programs::ECHO_JS).into()
}

/// The echo function with so many small functions more, to be compiled.
fn with_code(count: i32) -> Result<Vec<u8>> {
    let function = |number: i32| {
        let other = number * 7 + 1;
        format!(
            "(func (export \"f{number}\") (param i32) (result i32) \
             (i32.add (i32.mul (local.get 0) (i32.const {number})) \
             (i32.xor (local.get 0) (i32.const {other}))))\n"
        )
    };
    let functions: String = (0..count).map(function).collect();
    extended(programs::ECHO_WAT, &functions)
}

/// A module's text with more before its last bracket.
fn extended(module: &str, more: &str) -> Result<Vec<u8>> {
    let open = module.trim_end().strip_suffix(')').context("a module")?;
    Ok(wat::parse_str(format!("{open}{more})"))?)
}
