//! Opening everything a node needs.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hostler_core::id::BootId;
use hostler_core::node::Timing;
use hostler_wire::client::ControlClient;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::connect::connect;
use super::fleet_nats;
use super::leftover::drop_leftover;
use super::service::Service;
use super::{Handle, StartupError};
use crate::api::{Api, router};
use crate::artifacts::{Artifacts, Sources};
use crate::config::{NatsOptions, NodeOptions};
use crate::control::{ControlApi, Replay};
use crate::fence::Lease;
use crate::guard::Guard;
use crate::heartbeat::{Heart, Joining, Telling};
use crate::host;
use crate::identity::{ApiKey, Identity, Registration};
use crate::images::{ImageSource, Images};
use crate::ledger::{Ledger, Recovered};
use crate::relay::{Outbox, Relay};
use crate::report::report;
use crate::services::Services;
use crate::slots::{SlotEvent, Slots, SlotsOptions};
use crate::triggers::Triggers;
use crate::vms::{VmParts, Vms};
use crate::workloads::{Parts, Workloads};

/// What is read from the data folder before anything else.
struct Memory {
    recovered: Recovered,
    identity: Identity,
    registration: Option<Registration>,
    boot: BootId,
    lease: Lease,
}

/// How the node reaches others.
struct Fleet {
    control: Option<ControlClient>,
    joining: Option<Joining>,
    nats: NatsOptions,
}

/// What else a node works with.
struct Tools {
    control: Option<ControlClient>,
    client: async_nats::Client,
    artifacts: Artifacts,
    slots: Slots,
    events: mpsc::Receiver<SlotEvent>,
    slots_stop: CancellationToken,
    services: Services,
    relay: Relay,
    outbox: Outbox,
    key: watch::Sender<Option<ApiKey>>,
}

/// Opens everything and takes up the work of an earlier start. Requests are
/// answered once the service runs.
pub async fn start(options: NodeOptions) -> Result<(Service, Handle), StartupError> {
    options.check()?;
    let mut memory = memory(&options)?;
    let (listener, api_at) = listen(&options, memory.registration.as_ref()).await?;
    let fleet = fleet(&options, &mut memory, api_at.port()).await?;
    let tools = tools(&options, &fleet, memory.identity.node()).await?;
    let work_stop = CancellationToken::new();
    let book = &memory.recovered.book;
    let parts = parts(&options, &memory, &tools);
    let workloads = Workloads::start(parts, book, work_stop.clone());
    let vms = vms(&options, &memory, &tools, &work_stop).await?;
    let control_api = Arc::new(control_api(&options, &memory, &tools, &workloads));
    let requests = control_api.open().await?;
    let key = tools.key.subscribe();
    let held = (workloads.clone(), vms.clone());
    let handle = handle(&memory, &tools, &held, api_at);
    let api = Api {
        workloads: workloads.clone(),
        vms: vms.clone(),
        key,
        data: options.data.clone(),
    };
    let service = Service {
        at_stop: options.at_stop,
        grace: options.grace,
        heart: heart(&options, &memory, &tools, &held, fleet.joining),
        client: tools.client,
        slots: tools.slots,
        slots_stop: tools.slots_stop,
        events: tools.events,
        relay: tools.relay,
        outbox: tools.outbox,
        ledger: memory.recovered.ledger,
        lease: memory.lease,
        workloads,
        vms,
        work_stop,
        control_api,
        requests,
        registration: memory.registration,
        listener,
        router: router(api),
    };
    Ok((service, handle))
}

/// What whoever started the node may ask of it.
fn handle(
    memory: &Memory,
    tools: &Tools,
    (workloads, vms): &(Workloads, Option<Vms>),
    api: SocketAddr,
) -> Handle {
    Handle {
        node: memory.identity.node().to_owned(),
        xkey: memory.identity.xkey().public_key(),
        api,
        workloads: workloads.clone(),
        vms: vms.clone(),
        slots: tools.slots.clone(),
        lease: memory.lease.clone(),
        key: tools.key.subscribe(),
    }
}

/// How the node reaches others; a node that must be told is told first.
async fn fleet(
    options: &NodeOptions,
    memory: &mut Memory,
    port: u16,
) -> Result<Fleet, StartupError> {
    let control = options.control.as_ref();
    let control = control.map(|control| ControlClient::new(&control.url, ""));
    let control = control.transpose()?;
    let joining = joining(options, port);
    let known = memory.registration.take();
    if known.is_none() {
        drop_leftover(&mut memory.recovered, &memory.lease).await?;
    }
    let (nats, known) =
        fleet_nats::resolve(options, control.as_ref(), joining.as_ref(), known).await?;
    memory.registration = known;
    Ok(Fleet {
        control,
        joining,
        nats,
    })
}

/// What the node says of itself when it joins, if there is a fleet to join.
fn joining(options: &NodeOptions, port: u16) -> Option<Joining> {
    let control = options.control.as_ref()?;
    Some(Joining {
        token: control.join.clone(),
        name: options.name.clone(),
        host: options.host(),
        port,
        labels: options.labels.clone(),
    })
}

async fn tools(options: &NodeOptions, fleet: &Fleet, node: &str) -> Result<Tools, StartupError> {
    let control = fleet.control.clone();
    let client = connect(&fleet.nats, &options.name).await?;
    let key = watch::Sender::new(None);
    let sources = Sources {
        control: control.clone(),
        key: key.subscribe(),
        nats: client.clone(),
    };
    let artifacts = Artifacts::open(&options.data, options.bounds.artifacts, sources)?;
    let slots_stop = CancellationToken::new();
    let slot_options = SlotsOptions {
        data: options.data.clone(),
        clock: options.clock.clone(),
        ..options.slots.clone()
    };
    let (slots, events) = Slots::start(slot_options, slots_stop.clone()).await?;
    let services = Services::new(options.services.clone(), client.clone());
    services.serve(slots.host_calls().await?, slots_stop.clone());
    let (relay, outbox) = Relay::new(node, options.bounds.relay);
    Ok(Tools {
        control,
        client,
        artifacts,
        slots,
        events,
        slots_stop,
        services,
        relay,
        outbox,
        key,
    })
}

fn parts(options: &NodeOptions, memory: &Memory, tools: &Tools) -> Parts {
    let (client, slots, relay) = (
        tools.client.clone(),
        tools.slots.clone(),
        tools.relay.clone(),
    );
    let doers = (slots.clone(), tools.services.clone());
    Parts {
        slots,
        ledger: memory.recovered.ledger.clone(),
        artifacts: tools.artifacts.clone(),
        triggers: Triggers::new(client, doers, relay.clone(), options.bounds.triggers),
        relay,
        vault: memory.identity.vault(),
        lease: memory.lease.clone(),
        restart: options.restart,
        grace: (options.grace, options.stop_grace),
    }
}

/// The VMs, if this node is to hold any.
async fn vms(
    options: &NodeOptions,
    memory: &Memory,
    tools: &Tools,
    stop: &CancellationToken,
) -> Result<Option<Vms>, StartupError> {
    let Some(wanted) = &options.vms else {
        return Ok(None);
    };
    let source = ImageSource {
        control: tools.control.clone(),
        key: tools.key.subscribe(),
    };
    let wants_images = wanted.machinery.wants_images;
    let images = Images::open(&options.data, wanted.image_bytes, source, wants_images);
    let images = images.map_err(|source| StartupError::Folder {
        path: options.data.join("images"),
        source,
    })?;
    let guard = Guard::open(&options.data, wanted.guard.clone());
    if let Err(error) = guard.keep().await {
        tracing::error!(error = %report(&error), "nobody fences VMs if this daemon dies");
    }
    let parts = VmParts {
        machinery: wanted.machinery.clone(),
        images,
        lease: memory.lease.clone(),
        guard,
        look_every: wanted.look_every,
    };
    Ok(Some(Vms::start(parts, &options.data, stop.clone())?))
}

fn control_api(
    options: &NodeOptions,
    memory: &Memory,
    tools: &Tools,
    workloads: &Workloads,
) -> ControlApi {
    ControlApi {
        client: tools.client.clone(),
        identity: memory.identity.clone(),
        name: options.name.clone(),
        tags: options.tags.clone(),
        isolation: tools.slots.isolation(),
        admission: options.admission.clone(),
        artifacts: tools.artifacts.clone(),
        workloads: workloads.clone(),
        relay: tools.relay.clone(),
        replay: Replay::new(&memory.recovered.book),
        requests: options.bounds.requests,
        started: tokio::time::Instant::now(),
    }
}

/// A heart, if there is a control plane to beat for.
fn heart(
    options: &NodeOptions,
    memory: &Memory,
    tools: &Tools,
    (workloads, vms): &(Workloads, Option<Vms>),
    joining: Option<Joining>,
) -> Option<Heart> {
    Some(Heart {
        control: tools.control.clone()?,
        boot: memory.boot,
        lease: memory.lease.clone(),
        workloads: workloads.clone(),
        vms: vms.clone(),
        telling: Telling {
            name: options.name.clone(),
            tags: options.tags.clone(),
            isolation: tools.slots.isolation(),
            capacity: options.capacity.unwrap_or_else(host::capacity),
            slots: options.slots.pool.max,
            data: options.data.clone(),
            vm_disk_bytes: options.vms.as_ref().map_or(0, |vms| vms.disk_bytes),
        },
        data: options.data.clone(),
        joining: joining?,
        key: tools.key.clone(),
    })
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
    let listener = match address.port() {
        0 => lasting(address.ip()),
        _ => TcpListener::bind(address).await,
    };
    let listener = listener.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn lasting(ip: IpAddr) -> std::io::Result<TcpListener> {
    let listener = hostler_daemon::port::listen(ip)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
