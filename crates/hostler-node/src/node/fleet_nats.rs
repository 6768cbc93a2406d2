//! How a node that was told nothing of the control NATS comes into it: it makes
//! a pair of keys, joins the fleet, tells the control plane the public half and
//! is told the address. That is kept, so later starts need nobody.
//!
//! What must never happen: the seed leaves the node; an address told by one
//! fleet is used as a member of another.

use std::io;
use std::path::Path;
use std::time::Duration;

use hostler_core::id::NodeId;
use hostler_daemon::secret;
use hostler_wire::client::{ClientError, ControlClient};
use hostler_wire::rest::NodeNatsKey;
use nkeys::KeyPair;
use serde::{Deserialize, Serialize};

use super::StartupError;
use super::connect::{ConnectError, let_in};
use crate::backoff::Backoff;
use crate::config::{NatsLogin, NatsOptions, NodeOptions};
use crate::heartbeat::{Joining, join};
use crate::identity::Registration;
use crate::report::report;
use hostler_wire::nats::nkey::signing_key;

/// How long a new key is waited for; after that the connection is made when
/// the server lets it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The answer that was kept, whatever it was: a node that is started again does
/// not depend on its control plane.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    node: NodeId,
    url: Option<String>,
}

/// How this node speaks to the control NATS, and its registration if it has
/// one by now. Waits for the control plane, if it must be asked.
pub(super) async fn resolve(
    options: &NodeOptions,
    control: Option<&ControlClient>,
    joining: Option<&Joining>,
    known: Option<Registration>,
) -> Result<(NatsOptions, Option<Registration>), StartupError> {
    let given = options.nats.clone();
    let (NatsLogin::OfFleet, Some(control), Some(joining)) = (&given.login, control, joining)
    else {
        return Ok((given, known));
    };
    let seed = options.data.join("nats.nk");
    let key = public_key(&seed)?;
    let registration = match known {
        Some(registration) => registration,
        None => join(control, joining, &options.data).await,
    };
    let (url, is_new) = place(&options.data, control, &registration, key).await?;
    let nats = NatsOptions {
        url: url.unwrap_or(given.url),
        login: NatsLogin::NkeyFile(seed),
        tls: given.tls,
    };
    if is_new {
        let_in(&nats, PATIENCE).await?;
    }
    Ok((nats, Some(registration)))
}

fn public_key(path: &Path) -> Result<String, StartupError> {
    let make = || KeyPair::new_user().seed().unwrap_or_default();
    let (seed, _) = secret::load_or_make(path, make)?;
    let pair = signing_key(&seed).map_err(|source| ConnectError::Seed {
        path: path.to_owned(),
        source,
    })?;
    Ok(pair.public_key())
}

/// The address that was told, in an earlier start or, as it says then, now.
async fn place(
    data: &Path,
    control: &ControlClient,
    registration: &Registration,
    key: String,
) -> Result<(Option<String>, bool), StartupError> {
    let file = data.join("nats.json");
    if let Some(told) = kept(&file).filter(|told| told.node == registration.node) {
        return Ok((told.url, false));
    }
    let told = Told {
        node: registration.node,
        url: ask(control, registration, key).await,
    };
    keep(&file, &told).map_err(StartupError::NatsPlace)?;
    Ok((told.url, true))
}

fn kept(file: &Path) -> Option<Told> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

fn keep(file: &Path, told: &Told) -> io::Result<()> {
    secret::write(file, &serde_json::to_vec_pretty(told)?)
}

/// Asks until there is an answer.
async fn ask(
    control: &ControlClient,
    registration: &Registration,
    public_key: String,
) -> Option<String> {
    let mut pauses = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    let body = NodeNatsKey { public_key };
    loop {
        match control
            .node_nats(registration.api_key.expose(), &body)
            .await
        {
            Ok(told) => return told.url,
            Err(error) if is_older(&error) => return None,
            Err(error) => {
                let error = report(&error);
                tracing::warn!(%error, "could not learn where NATS is; trying again");
            }
        }
        tokio::time::sleep(pauses.next()).await;
    }
}

/// A control plane that knows no such question.
fn is_older(error: &ClientError) -> bool {
    matches!(
        error.status().map(|status| status.as_u16()),
        Some(404 | 405)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_public_half_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nats.nk");
        let key = public_key(&path).unwrap();
        assert!(key.starts_with('U'), "{key}");
        assert_eq!(public_key(&path).unwrap(), key);
        std::fs::write(&path, "no seed").unwrap();
        assert!(public_key(&path).is_err());
    }
}
