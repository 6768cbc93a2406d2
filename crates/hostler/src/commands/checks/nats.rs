//! NATS: the program that a node starts for its slots, and the control NATS,
//! which must keep streams.

use std::time::Duration;

use hostler_node::NatsOptions;

use super::Ground;
use super::finding::Finding;
use super::machine::package;
use crate::up;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn server(ground: &Ground) -> Finding {
    let found = up::nats_server(ground.programs.nats_server.as_deref());
    let found = found.map(|path| path.display().to_string());
    let found = found.map_err(|error| error.to_string());
    Finding::new("nats-server", found, "apt install nats-server").mended_by(package("nats-server"))
}

/// Without `JetStream` there are no object stores to deploy from.
pub(super) async fn jetstream(ground: &Ground) -> Finding {
    let Some(nats) = &ground.nats else {
        let later = Ok("the control plane names its NATS when the node joins".to_owned());
        return Finding::new("jetstream", later, "");
    };
    let fix = "start the control NATS with JetStream (nats-server -js), and name it: --server, \
               --nats or a context";
    Finding::new("jetstream", asked(nats).await, fix)
}

async fn asked(nats: &NatsOptions) -> Result<String, String> {
    let place = &nats.url;
    let asking = async {
        let options = nats.connection().map_err(|error| error.to_string())?;
        let client = options.connect(nats.servers()).await;
        let client = client.map_err(|error| format!("{place}: {error}"))?;
        let asked = client.request("$JS.API.INFO", "".into()).await;
        let answer = asked.map_err(|_| format!("the server at {place} has none"))?;
        judge(&answer.payload).map_err(|why| format!("{place}: {why}"))?;
        Ok(format!("at {place}"))
    };
    let late = || Err(format!("{place}: nobody answers"));
    tokio::time::timeout(PATIENCE, asking)
        .await
        .unwrap_or_else(|_| late())
}

/// Whether an answer is that of a server that keeps streams.
fn judge(answer: &[u8]) -> Result<(), String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    match answer["error"]["description"].as_str() {
        Some(why) => Err(why.to_owned()),
        None if answer["streams"].is_number() => Ok(()),
        None => Err("its answer makes no sense".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_there_is_jetstream() {
        assert_eq!(judge(br#"{"type":"x","memory":0,"streams":0}"#), Ok(()));
        let refused = br#"{"error":{"code":503,"description":"JetStream not enabled"}}"#;
        assert_eq!(judge(refused), Err("JetStream not enabled".to_owned()));
        assert!(judge(b"").is_err() && judge(b"{}").is_err());
    }
}
