//! Opening everything a node needs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::BootId;
use hostler_core::node::Timing;
use hostler_wire::client::ControlClient;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::connect::connect;
use super::service::Service;
use super::{Handle, StartupError};
use crate::api::{Api, router};
use crate::artifacts::{Artifacts, Sources};
use crate::config::NodeOptions;
use crate::control::{ControlApi, Replay};
use crate::fence::Lease;
use crate::heartbeat::{Heart, Joining, Telling};
use crate::host;
use crate::identity::{Identity, Registration};
use crate::ledger::{Ledger, Recovered};
use crate::relay::Relay;
use crate::slots::{Slots, SlotsOptions};
use crate::triggers::Triggers;
use crate::workloads::{Parts, Workloads};

/// What is read from the data folder before anything else.
struct Memory {
    recovered: Recovered,
    identity: Identity,
    registration: Option<Registration>,
    boot: BootId,
    lease: Lease,
}

/// Opens everything and takes up the work of an earlier start. Requests are
/// answered once the service runs.
pub async fn start(options: NodeOptions) -> Result<(Service, Handle), StartupError> {
    options.check()?;
    let memory = memory(&options)?;
    let (listener, api_at) = listen(&options, memory.registration.as_ref()).await?;
    let control = options
        .control
        .as_ref()
        .map(|control| ControlClient::new(&control.url, ""))
        .transpose()?;
    let client = connect(&options.nats, &options.name).await?;
    let (key, key_reader) = watch::channel(None);
    let artifacts = Artifacts::open(
        &options.data,
        options.bounds.artifacts,
        Sources {
            control: control.clone(),
            key: key_reader.clone(),
            nats: client.clone(),
        },
    )?;
    let slots_stop = CancellationToken::new();
    let slot_options = SlotsOptions {
        data: options.data.clone(),
        ..options.slots.clone()
    };
    let (slots, events) = Slots::start(slot_options, slots_stop.clone()).await?;
    let (relay, outbox) = Relay::new(memory.identity.node(), options.bounds.relay);
    let work_stop = CancellationToken::new();
    let parts = Parts {
        slots: slots.clone(),
        ledger: memory.recovered.ledger.clone(),
        artifacts: artifacts.clone(),
        triggers: Triggers::new(
            client.clone(),
            slots.clone(),
            relay.clone(),
            options.bounds.triggers,
        ),
        relay: relay.clone(),
        vault: memory.identity.vault(),
        lease: memory.lease.clone(),
        restart: options.restart,
        grace: (options.grace, options.stop_grace),
    };
    let book = &memory.recovered.book;
    let workloads = Workloads::start(parts, book, work_stop.clone());
    let control_api = Arc::new(ControlApi {
        client: client.clone(),
        identity: memory.identity.clone(),
        name: options.name.clone(),
        tags: options.tags.clone(),
        isolation: slots.isolation(),
        admission: options.admission.clone(),
        artifacts,
        workloads: workloads.clone(),
        relay: relay.clone(),
        replay: Replay::new(book),
        requests: options.bounds.requests,
        started: tokio::time::Instant::now(),
    });
    let requests = control_api.open().await?;
    let handle = Handle {
        node: memory.identity.node().to_owned(),
        xkey: memory.identity.xkey().public_key(),
        api: api_at,
        workloads: workloads.clone(),
        slots: slots.clone(),
        lease: memory.lease.clone(),
        key: key_reader.clone(),
    };
    let joining = Joining {
        token: options.control.as_ref().and_then(|control| control.join.clone()),
        name: options.name.clone(),
        host: options.host(),
        port: api_at.port(),
        labels: options.labels.clone(),
    };
    let telling = Telling {
        name: options.name.clone(),
        tags: options.tags.clone(),
        isolation: slots.isolation(),
        capacity: options.capacity.unwrap_or_else(host::capacity),
        slots: options.slots.pool.max,
        data: options.data.clone(),
    };
    let heart = control.map(|control| Heart {
        control,
        boot: memory.boot,
        lease: memory.lease.clone(),
        workloads: workloads.clone(),
        telling,
        data: options.data.clone(),
        joining,
        key,
    });
    let api = Api {
        workloads: workloads.clone(),
        key: key_reader,
        data: options.data,
    };
    let service = Service {
        at_stop: options.at_stop,
        grace: options.grace,
        client,
        slots,
        slots_stop,
        events,
        relay,
        outbox,
        ledger: memory.recovered.ledger,
        lease: memory.lease,
        workloads,
        work_stop,
        control_api,
        requests,
        heart,
        registration: memory.registration,
        listener,
        router: router(api),
    };
    Ok((service, handle))
}

fn memory(options: &NodeOptions) -> Result<Memory, StartupError> {
    let data = &options.data;
    std::fs::create_dir_all(data).map_err(|source| StartupError::Folder {
        path: data.clone(),
        source,
    })?;
    let recovered = Ledger::open(data)?;
    if let Some(cut) = recovered.cut {
        tracing::warn!(
            offset = cut.offset,
            bytes = cut.bytes,
            "cut a torn record off the end of the ledger"
        );
    }
    let identity = Identity::open(data)?;
    let registration = Registration::load(data)?;
    let millis = chrono::Utc::now().timestamp_millis().unsigned_abs();
    let boot = BootId::from_parts(millis, rand::random());
    let heartbeat = registration.as_ref().map_or(options.heartbeat, |known| {
        Duration::from_millis(known.heartbeat_ms)
    });
    let young = Timing::of(heartbeat).fence_after;
    let lease = Lease::open(data, boot, young, options.clock.clone())?;
    Ok(Memory {
        recovered,
        identity,
        registration,
        boot,
        lease,
    })
}

/// Listens; with port 0, on the port the control plane was told, if it is free.
async fn listen(
    options: &NodeOptions,
    registration: Option<&Registration>,
) -> Result<(TcpListener, SocketAddr), StartupError> {
    let address = options.listen;
    let failed = |source| StartupError::Listen { address, source };
    let told = registration.filter(|_| address.port() == 0);
    if let Some(known) = told {
        let same = SocketAddr::new(address.ip(), known.port);
        match TcpListener::bind(same).await {
            Ok(listener) => return Ok((listener, same)),
            Err(error) => tracing::warn!(
                %error,
                port = known.port,
                "the port that the control plane was told is taken: it cannot reach this node"
            ),
        }
    }
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
