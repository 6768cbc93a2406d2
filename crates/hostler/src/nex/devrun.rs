//! `nex devrun` (protocol 8.5): a file becomes an object, what has its name on
//! the node is stopped, and it is started anew.
//!
//! Differences to the original: no fixed 750 ms for a deploy; no empty argument;
//! the token names the file's digest, which the node checks; names as in later
//! versions; the end of what is stopped is waited for, not slept over.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_nats::jetstream::{self, context::ObjectStoreErrorKind, object_store};
use data_encoding::HEXLOWER;
use hostler_wire::nats::{Location, NewDeploy};
use sha2::{Digest as _, Sha256};

use super::args::DevRunArgs;
use super::client::Nex;
use super::keys::Keys;
use super::start;
use crate::output::Output;

const BUCKET: &str = "NEXCLIFILES";
/// How long nodes may take to answer that they are there.
const DISCOVERY: Duration = Duration::from_millis(750);
/// Between two looks at whether what was stopped is gone.
const LOOK: Duration = Duration::from_millis(50);

/// Uploads, stops, starts.
pub(super) async fn devrun(nex: &Nex, args: DevRunArgs, output: Output) -> Result<()> {
    let bytes = std::fs::read(&args.file)
        .with_context(|| format!("could not read {}", args.file.display()))?;
    let name = name_of(&args.file)?;
    let nodes = nex.nodes(DISCOVERY).await?;
    let Some(node) = nodes.into_iter().find(|node| !is_lame(&node.tags)) else {
        bail!("unable to locate candidate node - no nodes discovered");
    };
    let node = node.node_id;
    let (keys, folder) = Keys::own()?;
    output.remark(format!("Keys are those in {}.", folder.display()));
    let new = NewDeploy {
        r#type: type_of(&args.file).to_owned(),
        description: "Workload published in devmode".to_owned(),
        location: Location::object(BUCKET, &name),
        hash: HEXLOWER.encode(&Sha256::digest(&bytes)),
        environment: args.env.iter().cloned().collect(),
        argv: args.how.words(),
        essential: args.how.essential && !args.how.no_essential,
        trigger_subjects: args.how.trigger_subjects.clone(),
        name: name.clone(),
        jsdomain: String::new(),
    };
    upload(nex, (&name, &bytes), args.bucketmaxbytes).await?;
    if !args.no_stop {
        stop_all(nex, (&node, &name), &keys, output).await?;
    }
    let reply = start::deploy(nex, new, (&node, &keys)).await?;
    start::accepted(&reply, &node, output)
}

fn is_lame(tags: &std::collections::BTreeMap<String, String>) -> bool {
    tags.get("nex.lameduck")
        .is_some_and(|value| value == "true")
}

/// The file's name without its dots, if a workload can be called so.
fn name_of(file: &Path) -> Result<String> {
    let name = file.file_name().context("the file has no name")?;
    let name = name.to_string_lossy().replace('.', "");
    if let Err(error) = name.parse::<hostler_core::Name>() {
        bail!("'{name}' cannot be what a workload is called: {error}; rename the file");
    }
    Ok(name)
}

fn type_of(file: &Path) -> &'static str {
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("js") => "v8",
        Some("wasm") => "wasm",
        _ => "elf",
    }
}

async fn upload(nex: &Nex, (name, bytes): (&str, &[u8]), bucket_bytes: u32) -> Result<()> {
    let context = jetstream::new(nex.nats.clone());
    let store = match context.get_object_store(BUCKET).await {
        Ok(store) => store,
        Err(error) if error.kind() == ObjectStoreErrorKind::GetStore => {
            let config = object_store::Config {
                bucket: BUCKET.to_owned(),
                max_bytes: bucket_bytes.into(),
                ..object_store::Config::default()
            };
            let made = context.create_object_store(config).await;
            made.with_context(|| format!("could not make the object store {BUCKET}; does this NATS server have JetStream?"))?
        }
        Err(error) => return Err(error.into()),
    };
    let put = store.put(name, &mut &bytes[..]).await;
    put.with_context(|| format!("could not upload '{name}' into the object store {BUCKET}"))?;
    Ok(())
}

/// Stops every workload of the name on the node, and waits until none is left.
async fn stop_all(
    nex: &Nex,
    (node, name): (&str, &str),
    keys: &Keys,
    output: Output,
) -> Result<()> {
    let until = tokio::time::Instant::now() + nex.timeout;
    let running = of_name(nex, node, name).await?;
    for id in &running {
        start::stop_one(nex, (node, id), (name, &keys.issuer)).await?;
        output.remark(format!("Stopped {id}."));
    }
    while tokio::time::Instant::now() < until {
        let left = of_name(nex, node, name).await?;
        if !left.iter().any(|id| running.contains(id)) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("'{name}' was stopped and did not go away; try again")
}

async fn of_name(nex: &Nex, node: &str, name: &str) -> Result<Vec<String>> {
    let info = nex.info(node).await?;
    let machines = info.machines.into_iter();
    let named = machines.filter(|machine| machine.workload.name == name);
    Ok(named.map(|machine| machine.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_s_name_without_dots_is_the_workload_s() {
        let check = |file: &str, name: &str, kind: &str| {
            assert_eq!(name_of(Path::new(file)).expect(file), name);
            assert_eq!(type_of(Path::new(file)), kind, "{file}");
        };
        check("/a/echofunction.js", "echofunctionjs", "v8");
        check("b/x.y.wasm", "xywasm", "wasm");
        check("echo-service_2", "echo-service_2", "elf");
        for bad in ["a b.js", "...", "é.js", "/"] {
            assert!(name_of(Path::new(bad)).is_err(), "{bad}");
        }
    }
}
