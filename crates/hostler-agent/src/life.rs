//! The agent's life: link, subscriptions, handshake; then orders until it is
//! told to end, by a signal, by its own loneliness or by the end of its lease.
//!
//! Subscriptions come before the handshake on the same connection, so when
//! the node has its handshake, the server knows where to send the node's
//! orders.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, Subscriber};
use bytes::Bytes;
use chrono::Utc;
use futures::StreamExt as _;
use hostler_wire::agent::{
    AgentLease, AgentMetadata, ERROR_HEADER, HandshakeRequest, UndeployRequest,
};
use hostler_wire::agent::{Message as _, subject};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, Desk};
use crate::lease::Lease;
use crate::link::{self, Connection, LinkError, Listener};
use crate::service::Reaper;
use crate::{STATUS_BROKEN, STATUS_LEASE_OVER, STATUS_NO_NODE, handshake, outbox, pulse, status};

/// How long an agent tries to be known by its node, before it gives up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From the start until there is a connection for the first time.
    connection: Duration,
    /// From then until the node has answered the handshake for the first time.
    handshake: Duration,
}

impl Patience {
    /// Of a process beside its node.
    pub(crate) const NEAR: Self = Self {
        connection: Duration::from_secs(10),
        handshake: Duration::from_secs(5),
    };
    /// Of a guest, whose processor may be emulated on a busy machine. Its node
    /// gives it up earlier, if it wants to.
    pub(crate) const GUEST: Self = Self {
        connection: Duration::from_mins(2),
        handshake: Duration::from_mins(1),
    };
}

/// How long an agent that runs nothing waits for a lost node.
const LONELINESS: Duration = Duration::from_mins(10);

/// Between the polite signal and the hard one, if nobody says otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// How long last messages may take at the end.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why the agent cannot live.
#[derive(Debug, thiserror::Error)]
enum LifeError {
    #[error("cannot watch over processes: {0}")]
    Broken(#[from] std::io::Error),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("cannot subscribe: {0}")]
    Subscribe(#[from] async_nats::SubscribeError),
    #[error("the node's NATS server was not there in {0:?}")]
    NoConnection(Duration),
    #[error("the node did not answer the handshake in {0:?}")]
    NoHandshake(Duration),
    #[error("the link to the node is no more")]
    Gone,
    #[error("there was no connection for {LONELINESS:?}, and nothing runs here")]
    Lonely,
    #[error("the lease has ended")]
    LeaseOver,
}

/// Lives; the exit status.
pub(crate) async fn live(metadata: AgentMetadata, patience: Patience) -> u8 {
    match try_live(metadata, patience).await {
        Ok(()) => 0,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "the agent ends");
            match error {
                LifeError::Broken(_) => STATUS_BROKEN,
                LifeError::LeaseOver => STATUS_LEASE_OVER,
                _ => STATUS_NO_NODE,
            }
        }
    }
}

async fn try_live(metadata: AgentMetadata, patience: Patience) -> Result<(), LifeError> {
    let mut told_to_end = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    pulse::start()?;
    let reaper = Reaper::start()?;
    let hello = handshake::request(&metadata.slot, Utc::now(), &metadata.message);
    let link = link::open(&metadata).await?;
    let (outbox, delivery) = outbox::outbox(&metadata.slot);
    let agent = Arc::new(Agent {
        work: std::env::current_dir()?,
        client: link.client.clone(),
        outbox,
        status: Arc::new(status::Status::new(&metadata.slot)),
        reaper,
        desk: Mutex::new(Desk::default()),
        closing: CancellationToken::new(),
        lease: Lease::default(),
        slot: metadata.slot,
    });
    listen(&agent).await?;
    let mut connection = link.connection;
    let ended = tokio::select! {
        () = agent.lease.ended() => Err(LifeError::LeaseOver),
        ended = async {
            match be_known(&agent, &mut connection, &hello, patience).await {
                Ok(current) => keep_company(&agent, &mut connection, &hello, delivery, current).await,
                Err(lonely) => lonely,
            }
        } => Err(ended),
        _ = told_to_end.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
    };
    let ended = end(&agent, ended).await;
    // Without a connection there is nobody to tell.
    let _ = timeout(FAREWELL, agent.client.flush()).await;
    ended
}

/// Ends what runs: politely, unless the lease has ended or does so meanwhile.
async fn end(agent: &Agent, why: Result<(), LifeError>) -> Result<(), LifeError> {
    if !matches!(why, Err(LifeError::LeaseOver)) {
        tokio::select! {
            ended = agent.undeploy(GRACE) => {
                if let Err(left) = ended {
                    tracing::error!(%left, "ending nevertheless");
                }
                return why;
            }
            () = agent.lease.ended() => {}
        }
    }
    agent.fence().await;
    Err(LifeError::LeaseOver)
}

/// Connects and shakes hands for the first time; says with which connection.
async fn be_known(
    agent: &Agent,
    connection: &mut watch::Receiver<Connection>,
    hello: &HandshakeRequest,
    patience: Patience,
) -> Result<u64, LifeError> {
    match timeout(patience.connection, connection.wait_for(|now| now.up)).await {
        Ok(Ok(_)) => {}
        _ => return Err(LifeError::NoConnection(patience.connection)),
    }
    let current = connection.borrow().count;
    let shaken = timeout(patience.handshake, handshake::shake(&agent.client, hello)).await;
    shaken
        .map(|()| current)
        .map_err(|_| LifeError::NoHandshake(patience.handshake))
}

/// Shakes hands after every further connection; returns when it has to give up.
async fn keep_company(
    agent: &Arc<Agent>,
    connection: &mut watch::Receiver<Connection>,
    hello: &HandshakeRequest,
    delivery: outbox::Delivery,
    mut current: u64,
) -> LifeError {
    tracing::info!(slot = %agent.slot, "ready");
    let greeted = watch::Sender::new(current);
    let listener = Listener {
        connection: connection.clone(),
        greeted: greeted.subscribe(),
    };
    tokio::spawn(delivery.run(agent.client.clone(), listener));
    loop {
        let news = connection.wait_for(|now| now.up && now.count != current);
        match timeout(LONELINESS, news)
            .await
            .map(|now| now.map(|now| now.count))
        {
            Ok(Ok(count)) => current = count,
            Ok(Err(_)) => return LifeError::Gone,
            Err(_) if connection.borrow().up || agent.status.is_busy() => continue,
            Err(_) => return LifeError::Lonely,
        }
        // Interrupted by the next connection, if this one is lost meanwhile.
        let again = connection.wait_for(|now| now.count != current);
        tokio::select! {
            () = handshake::shake(&agent.client, hello) => {
                tracing::info!("the node knows of us again");
                greeted.send_replace(current);
            }
            _ = again => {}
        }
    }
}

/// Subscribes and answers, each kind of order on its own feet.
async fn listen(agent: &Arc<Agent>) -> Result<(), LifeError> {
    let client = &agent.client;
    let pings = client.subscribe(subject::ping(&agent.slot)).await?;
    let deploys = client.subscribe(subject::deploy(&agent.slot)).await?;
    let undeploys = client.subscribe(subject::undeploy(&agent.slot)).await?;
    let leases = client.subscribe(subject::lease(&agent.slot)).await?;
    tokio::spawn(answer_pings(Arc::clone(agent), pings));
    tokio::spawn(answer_leases(Arc::clone(agent), leases));
    tokio::spawn(answer_deploys(Arc::clone(agent), deploys));
    tokio::spawn(answer_undeploys(Arc::clone(agent), undeploys));
    Ok(())
}

async fn answer_pings(agent: Arc<Agent>, mut asked: Subscriber) {
    while let Some(message) = asked.next().await {
        let state = agent.status.state(agent.outbox.dropped());
        respond(&agent.client, &message, state.encode().into()).await;
    }
}

async fn answer_leases(agent: Arc<Agent>, mut asked: Subscriber) {
    while let Some(message) = asked.next().await {
        match AgentLease::decode(&message.payload) {
            Ok(lease) => {
                let reply = agent.lease.hear(&lease);
                respond(&agent.client, &message, reply.encode().into()).await;
            }
            Err(error) => tracing::warn!(%error, "could not read what the lease is"),
        }
    }
}

async fn answer_deploys(agent: Arc<Agent>, mut asked: Subscriber) {
    while let Some(message) = asked.next().await {
        let response = agent.deploy(&message.payload).await;
        // A refusal would be taken for the workload's fault.
        if agent.lease.is_over() {
            return;
        }
        respond(&agent.client, &message, response.encode().into()).await;
    }
}

async fn answer_undeploys(agent: Arc<Agent>, mut asked: Subscriber) {
    while let Some(message) = asked.next().await {
        // Whatever else it says, it says undeploy.
        let request = UndeployRequest::decode(&message.payload).unwrap_or_default();
        let grace = request.grace_ms.map_or(GRACE, Duration::from_millis);
        match agent.undeploy(grace).await {
            Ok(()) => respond(&agent.client, &message, Bytes::new()).await,
            Err(left) => respond_failed(&agent.client, &message, &left.to_string()).await,
        }
    }
}

async fn respond(client: &Client, message: &Message, answer: Bytes) {
    if let Some(reply) = message.reply.clone()
        && let Err(error) = client.publish(reply, answer).await
    {
        tracing::warn!(%error, "could not answer the node");
    }
}

async fn respond_failed(client: &Client, message: &Message, why: &str) {
    tracing::error!(why, "could not undeploy");
    let mut headers = HeaderMap::new();
    headers.insert(ERROR_HEADER, why);
    if let Some(reply) = message.reply.clone() {
        // The node sees that there is no answer.
        let _ = client
            .publish_with_headers(reply, headers, Bytes::new())
            .await;
    }
}
