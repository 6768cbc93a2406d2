//! Somebody who deploys over NATS: an issuer's key, a curve key, a bucket.

use std::collections::BTreeMap;

use async_nats::Client;
use async_nats::jetstream::object_store;
use chrono::Utc;
use hostler_node::Handle;
use hostler_wire::nats::nkey::{KeyPair, XKey};
use hostler_wire::nats::{
    Claims, DeployReply, DeployRequest, Location, Message, NewDeploy, ReplyError, StopReply,
    StopRequest, envelope, subject,
};

use super::{ControlNats, PATIENCE, eventually};

pub(crate) const BUCKET: &str = "NEXCLIFILES";
/// Any bytes do: the agents of the test run nothing.
pub(crate) const ARTIFACT: &[u8] = b"not really a program";

pub(crate) struct Requester {
    pub(crate) client: Client,
    bucket: &'static str,
    pub(crate) issuer: KeyPair,
    pub(crate) sender: XKey,
    pub(crate) node: String,
    pub(crate) xkey: String,
}

impl Requester {
    /// One with the artifact `echo` in a bucket.
    pub(crate) async fn new(nats: &ControlNats, node: &Handle) -> Self {
        let client = nats.client().await;
        let jetstream = async_nats::jetstream::new(client.clone());
        let config = object_store::Config {
            bucket: BUCKET.to_owned(),
            ..object_store::Config::default()
        };
        let store = jetstream.create_object_store(config).await.unwrap();
        store.put("echo", &mut &ARTIFACT[..]).await.unwrap();
        store.put("empty", &mut &b""[..]).await.unwrap();
        Self {
            client,
            bucket: BUCKET,
            issuer: KeyPair::new_account(),
            sender: XKey::new(),
            node: node.node.clone(),
            xkey: node.xkey.clone(),
        }
    }

    /// Waits until the node answers.
    pub(crate) async fn wait_for_node(&self) {
        eventually("an answer of the node", async || {
            let ping = subject::ping_node(&self.node);
            self.client.request(ping, "".into()).await.ok()
        })
        .await;
    }

    /// The usual service.
    pub(crate) fn service(&self) -> NewDeploy {
        NewDeploy {
            name: "echo".to_owned(),
            r#type: "elf".to_owned(),
            location: Location::object(self.bucket, "echo"),
            environment: BTreeMap::from([("nats_url".to_owned(), "nats://x".to_owned())]),
            ..NewDeploy::default()
        }
    }

    /// A function with one trigger subject.
    pub(crate) fn function(&self, subject: &str) -> NewDeploy {
        NewDeploy {
            name: "shout".to_owned(),
            r#type: "wasm".to_owned(),
            trigger_subjects: vec![subject.to_owned()],
            ..self.service()
        }
    }

    pub(crate) fn signed(&self, new: NewDeploy) -> DeployRequest {
        let node = (self.node.as_str(), self.xkey.as_str());
        new.request(&self.issuer, &self.sender, node, Utc::now())
            .unwrap()
    }

    pub(crate) async fn ask(&self, subject: String, payload: Vec<u8>) -> Vec<u8> {
        let request = async_nats::Request::new()
            .payload(payload.into())
            .timeout(Some(PATIENCE));
        let answer = self.client.send_request(subject, request).await.unwrap();
        answer.payload.to_vec()
    }

    pub(crate) async fn deploy_request(
        &self,
        request: &DeployRequest,
    ) -> Result<DeployReply, ReplyError> {
        self.deploy_bytes("default", request.encode()).await
    }

    pub(crate) async fn deploy_bytes(
        &self,
        namespace: &str,
        payload: Vec<u8>,
    ) -> Result<DeployReply, ReplyError> {
        let subject = subject::deploy(namespace, &self.node);
        envelope::decode(&self.ask(subject, payload).await)
    }

    pub(crate) async fn deploy(&self, new: NewDeploy) -> Result<DeployReply, ReplyError> {
        self.deploy_request(&self.signed(new)).await
    }

    pub(crate) async fn stop_with(
        &self,
        namespace: &str,
        id: &str,
        token: String,
    ) -> Result<StopReply, ReplyError> {
        let request = StopRequest {
            workload_id: id.to_owned(),
            workload_jwt: token,
            target_node: self.node.clone(),
        };
        let subject = subject::stop(namespace, &self.node);
        envelope::decode(&self.ask(subject, request.encode()).await)
    }

    pub(crate) async fn stop(&self, id: &str, name: &str) -> Result<StopReply, ReplyError> {
        let token = Claims::workload(name, None)
            .sign(&self.issuer, Utc::now())
            .unwrap();
        self.stop_with("default", id, token).await
    }
}

/// The text of a refused deploy.
#[track_caller]
pub(crate) fn deploy_error(result: Result<DeployReply, ReplyError>) -> String {
    match result {
        Err(ReplyError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

/// The text of a refused stop.
#[track_caller]
pub(crate) fn stop_error(result: Result<StopReply, ReplyError>) -> String {
    match result {
        Err(ReplyError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}
