//! What a node is told at start: one plain struct, checked as a whole before
//! anything is opened, with every mistake listed.
//!
//! Where the values come from (flags, variables, a file of the original) is
//! the business of whoever starts the node.

mod check;
pub(crate) mod machine;
mod nats;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use hostler_core::workload::RestartPolicy;
use hostler_core::{Bytes, Cpu, Labels, Resources};

use crate::clock::Clock;
use crate::services::ServiceOptions;
use crate::slots::SlotsOptions;
use crate::vms::VmsOptions;

pub use nats::{NatsLogin, NatsOptions, NatsTls};

/// Settings of a node.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Its name, unique in the fleet; the tag `node_name`.
    pub name: String,
    /// Where it keeps everything it must remember.
    pub data: PathBuf,
    /// Where its HTTP API listens. With port 0 it takes any, and the same one
    /// again after a restart.
    pub listen: SocketAddr,
    /// The host under which the control plane reaches it; absent: the address
    /// it listens on.
    pub advertise: Option<String>,
    /// The control plane; absent: it works alone, for requests over NATS.
    pub control: Option<ControlOptions>,
    /// The control NATS.
    pub nats: NatsOptions,
    /// Its operator's labels, told to the control plane when it joins.
    pub labels: Labels,
    /// Tags to advertise besides those it sets itself (protocol 5.6).
    pub tags: BTreeMap<String, String>,
    /// How slots are made and kept. Its `data` is not looked at: `data` is.
    pub slots: SlotsOptions,
    /// How VMs are held; absent: none are.
    pub vms: Option<VmsOptions>,
    /// What the machine has for work; absent: what it really has.
    pub capacity: Option<Resources>,
    /// Who may deploy over NATS, and what.
    pub admission: Admission,
    /// What functions may have the node do for them.
    pub services: ServiceOptions,
    /// How much is kept and queued at most.
    pub bounds: Bounds,
    /// How failed essential services are started again.
    pub restart: RestartPolicy,
    /// How long work may take to end when it is stopped by the control plane.
    pub grace: Duration,
    /// The same for a STOP over NATS, whose requester waits.
    pub stop_grace: Duration,
    /// What becomes of the work when the node is stopped.
    pub at_stop: AtStop,
    /// Between two heartbeats, until the control plane says.
    pub heartbeat: Duration,
    /// The clock of the lease.
    pub clock: Clock,
}

/// What becomes of the work when the node is stopped. Either way the ledger
/// keeps it, and the next start of the node takes it up again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtStop {
    /// It runs on, and is adopted at the next start.
    #[default]
    RunsOn,
    /// It is ended, and nothing is left running; it is started again at the
    /// next start.
    Ends,
}

/// How a node reaches its control plane.
#[derive(Clone, Debug)]
pub struct ControlOptions {
    /// Its base URL.
    pub url: String,
    /// What the node joins with; not needed once it has joined.
    pub join: Option<JoinToken>,
}

/// Where a join token is.
#[derive(Clone)]
pub enum JoinToken {
    /// Here.
    Text(String),
    /// In a file, read anew at each attempt to join.
    File(PathBuf),
}

impl std::fmt::Debug for JoinToken {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// Who may deploy over NATS, and what (protocol 3).
#[derive(Clone, Debug)]
pub struct Admission {
    /// Public keys of issuers; empty: every issuer.
    pub issuers: Vec<String>,
    /// Public curve keys of requesters; empty: every requester.
    pub requesters: Vec<String>,
    /// Workload types, compared letter by letter.
    pub types: Vec<String>,
    /// Patterns that no trigger may overlap, besides those that always are
    /// denied.
    pub denied_triggers: Vec<String>,
    /// The largest artifact, in bytes.
    pub artifact_bytes: u64,
    /// What work gets: a deploy over NATS says nothing of what it needs. The
    /// usual is what the original's machines have.
    pub need: Resources,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            requesters: Vec::new(),
            types: ["elf", "v8", "wasm"].map(str::to_owned).to_vec(),
            denied_triggers: Vec::new(),
            artifact_bytes: 512 << 20,
            need: Resources {
                cpu: Cpu::cores(1),
                memory: Bytes::mib(256),
            },
        }
    }
}

/// How much is kept and queued at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of artifacts on disk.
    pub artifacts: u64,
    /// Events and log entries that wait for the control NATS.
    pub relay: usize,
    /// Trigger messages under way.
    pub triggers: usize,
    /// Requests of the NATS control API under way.
    pub requests: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            artifacts: 8 << 30,
            relay: 8_192,
            triggers: 1_024,
            requests: 256,
        }
    }
}

impl NodeOptions {
    /// The usual settings for a node of this name, with this data folder,
    /// control NATS and agent program. It works alone until `control` is set.
    pub fn new(
        name: impl Into<String>,
        data: impl Into<PathBuf>,
        nats: impl Into<String>,
        agent: impl Into<PathBuf>,
    ) -> Self {
        let data = data.into();
        Self {
            name: name.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            advertise: None,
            control: None,
            nats: NatsOptions::at(nats),
            labels: Labels::new(),
            tags: BTreeMap::new(),
            slots: SlotsOptions::new(data.clone(), agent),
            data,
            vms: None,
            capacity: None,
            admission: Admission::default(),
            services: ServiceOptions::default(),
            bounds: Bounds::default(),
            restart: RestartPolicy::default(),
            grace: Duration::from_secs(10),
            stop_grace: Duration::from_secs(1),
            at_stop: AtStop::default(),
            heartbeat: Duration::from_secs(15),
            clock: Clock::default(),
        }
    }

    /// The host under which the control plane reaches the node.
    pub(crate) fn host(&self) -> String {
        let listen = || self.listen.ip().to_string();
        self.advertise.clone().unwrap_or_else(listen)
    }
}
