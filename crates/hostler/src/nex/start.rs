//! `nex run` and `nex stop`: signed requests about one workload.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use hostler_wire::nats::nkey::KeyPair;
use hostler_wire::nats::{Claims, DeployReply, Location, NewDeploy, StopReply, StopRequest};

use super::args::{RunArgs, StopArgs};
use super::client::Nex;
use super::keys::{self, Keys};
use crate::output::Output;

/// Runs an artifact that is in an object store.
pub(super) async fn run(nex: &Nex, args: RunArgs, output: Output) -> Result<()> {
    let keys = Keys {
        issuer: keys::issuer(&args.issuer)?,
        sender: keys::sender(&args.xkey)?,
    };
    let new = NewDeploy {
        location: location(&args.url)?,
        argv: args.how.words(),
        essential: args.how.essential && !args.how.no_essential,
        trigger_subjects: args.how.trigger_subjects,
        environment: args.env.into_iter().collect::<BTreeMap<_, _>>(),
        name: args.name,
        r#type: args.r#type,
        description: args.description,
        jsdomain: args.jsdomain,
        hash: String::new(),
    };
    let reply = deploy(nex, new, (&args.id, &keys)).await?;
    accepted(&reply, &args.id, output)
}

/// Asks the node for its key and gives it the work.
pub(super) async fn deploy(
    nex: &Nex,
    new: NewDeploy,
    (node, keys): (&str, &Keys),
) -> Result<DeployReply> {
    let is_function = matches!(new.r#type.as_str(), "v8" | "wasm");
    if is_function && new.trigger_subjects.is_empty() {
        bail!(
            "cannot start a function-type workload without specifying at least one trigger \
             subject: --trigger_subject"
        );
    }
    let info = nex.info(node).await?;
    let to = (node, info.public_xkey.as_str());
    let request = new.request(&keys.issuer, &keys.sender, to, Utc::now())?;
    let deployed = nex.deploy(&request).await;
    deployed.context("Workload run request failed to submit")
}

/// Says that work was accepted.
pub(super) fn accepted(reply: &DeployReply, node: &str, output: Output) -> Result<()> {
    output.line(reply, |reply| {
        format!(
            "🚀 Workload '{}' accepted. You can now refer to this workload with ID: {} on node {node}",
            reply.name, reply.id
        )
    })
}

/// Stops a workload.
pub(super) async fn stop(nex: &Nex, args: StopArgs, output: Output) -> Result<()> {
    let issuer = keys::issuer(&args.issuer)?;
    let which = (args.id.as_str(), args.workload_id.as_str());
    let reply = stop_one(nex, which, (&args.name, &issuer)).await?;
    output.line(&reply, |reply| {
        format!("✅ Workload '{}' stopped.", reply.name)
    })
}

/// Nodes of the original refuse a token of the second of the deployment's.
const NEXT_SECOND: Duration = Duration::from_millis(1_100);

/// Stops what is named.
pub(super) async fn stop_one(
    nex: &Nex,
    (node, workload): (&str, &str),
    (name, issuer): (&str, &KeyPair),
) -> Result<StopReply> {
    let signed = || -> Result<StopRequest> {
        Ok(StopRequest {
            workload_id: workload.to_owned(),
            workload_jwt: Claims::workload(name, None).sign(issuer, Utc::now())?,
            target_node: node.to_owned(),
        })
    };
    let stopped = match nex.stop(&signed()?).await {
        Err(error) if error.to_string().contains("cloned") => {
            tokio::time::sleep(NEXT_SECOND).await;
            nex.stop(&signed()?).await
        }
        other => other,
    };
    stopped.context("Workload stop request failed")
}

/// The object that an address names.
fn location(url: &str) -> Result<Location> {
    let wrong = || format!("'{url}' is no address of an object, such as nats://BUCKET/KEY");
    let place = url.strip_prefix("nats://").with_context(wrong)?;
    let (bucket, key) = place.split_once('/').with_context(wrong)?;
    let key = unescaped(key).with_context(wrong)?;
    if bucket.is_empty() || key.is_empty() {
        bail!(wrong());
    }
    Ok(Location::object(bucket, &key))
}

/// A text without `%` and two digits for a byte.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_bucket_and_a_key() {
        let check = |url: &str, bucket: &str, key: &str| {
            let location = location(url).expect(url);
            assert_eq!((location.bucket(), location.key()), (bucket, key), "{url}");
        };
        check("nats://FILES/echo", "FILES", "echo");
        check("nats://Files/a/b", "Files", "a/b");
        check("nats://F/a%2Fb%20c", "F", "a/b c");
        for bad in [
            "FILES/echo",
            "nats://FILES",
            "nats:///k",
            "nats://F/",
            "nats://F/%2",
            "nats://F/%zz",
            "nats://F/%é",
        ] {
            assert!(location(bad).is_err(), "{bad}");
        }
    }
}
