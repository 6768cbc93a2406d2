//! Connections. Each is a task of a set that dies as a whole when the server
//! is to be gone, as if its machine were: no answer is finished then.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::answer::Answer;
use super::body::{Body, response};
use super::call::{Call, Query};
use super::info::Info;
use super::route::route;
use super::shape::Shape;
use crate::fault::Effect;
use crate::refusal::Refusal;
use crate::world::World;

/// What connections, controllers and the test share.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Watches of an older count end.
    pub(crate) cuts: watch::Sender<u64>,
}

/// A server that listens, until it is dropped.
#[derive(Debug)]
pub(crate) struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Serving {
    /// Ends it, and waits until its port is free.
    pub(crate) async fn end(mut self) {
        self.0.abort();
        let _ended = (&mut self.0).await;
    }
}

/// The connection ends unanswered.
#[derive(Debug, thiserror::Error)]
#[error("the reply is lost")]
struct Lost;

/// The largest body, as etcd bounds objects.
const LARGEST: usize = 3 << 20;

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            cuts: watch::Sender::new(0),
        }
    }

    /// The world, for one change as a whole.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens at an address; port 0 is any free one.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    address: SocketAddr,
) -> std::io::Result<(SocketAddr, Serving)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((address, Serving(tokio::spawn(accept(shared, listener)))))
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(Arc::clone(&shared), stream));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    let _slower = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    let served = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Lost> {
    let call = match read(&shared, request).await {
        Ok(call) => call,
        Err(refusal) => return Ok(response(refusal.into(), &shared)),
    };
    let effects = met(&shared, &call);
    for effect in &effects {
        match effect {
            Effect::Slow(span) => tokio::time::sleep(*span).await,
            Effect::Hang => std::future::pending().await,
            _ => {}
        }
    }
    let what = &call.info.asked.resource;
    let refused = effects.iter().find_map(|effect| effect.refusal(what));
    let answer = match refused {
        Some(refusal) => refusal.into(),
        None => Answer::from(route(&mut shared.world(), &call)),
    };
    if effects.contains(&Effect::LostReply) {
        return Err(Lost);
    }
    Ok(response(answer, &shared))
}

/// Counts a call, and says which faults meet it.
fn met(shared: &Shared, call: &Call) -> Vec<Effect> {
    let asked = &call.info.asked;
    let mut world = shared.world();
    let what = match asked.resource.as_str() {
        "" => asked.path.clone(),
        resource => resource.to_owned(),
    };
    let count = world
        .counters
        .entry((asked.verb.clone(), what))
        .or_default();
    *count += 1;
    let user = &call.user.name;
    world.faults.effects(user, &asked.verb, &asked.resource)
}

async fn read(shared: &Shared, request: Request<Incoming>) -> Result<Call, Refusal> {
    let (parts, body) = request.into_parts();
    let header = |name: &HeaderName| {
        let value = parts.headers.get(name)?;
        value.to_str().ok()
    };
    let query = Query::read(parts.uri.query().unwrap_or_default());
    let info = Info::read(parts.method.as_str(), parts.uri.path(), query.is("watch"));
    let acts_as = header(&HeaderName::from_static("impersonate-user"));
    let user = shared.world().users.of(header(&AUTHORIZATION), acts_as)?;
    Ok(Call {
        info,
        query,
        user,
        shape: Shape::read(header(&ACCEPT).unwrap_or_default()),
        content_type: header(&CONTENT_TYPE).unwrap_or_default().to_owned(),
        body: whole(body).await?,
    })
}

async fn whole(body: Incoming) -> Result<Bytes, Refusal> {
    let limited = Limited::new(body, LARGEST).collect().await;
    let too_large = |_| {
        let message = "Request entity too large: limit is 3145728";
        Refusal::new(413, "RequestEntityTooLarge", message)
    };
    Ok(limited.map_err(too_large)?.to_bytes())
}
