//! Starting and ending. In this order: options are checked, the store is
//! opened, the first administrator is made, the port is bound, and only then
//! passes run and requests are answered. The end is the reverse: no new
//! requests, long answers end, passes finish the run they are in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_nats::jetstream;
use axum::Router;
use hostler_core::access::Policy;
use hostler_core::node::Timing;
use hostler_daemon::config::Mistakes;
use hostler_daemon::serve::{Tls, TlsError, serve};
use hostler_oidc::OidcError;
use hostler_store::{By, KeyError, OpenError, SealingKey, Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::artifacts::{ArtifactFiles, KnownArtifacts};
use crate::http::{self, Guesses, KnownTokens, LoginAttempts};
use crate::logs::{LogHistory, LogStream};
use crate::nodes::{self, NodeCalls};
use crate::oidc::Oidc;
use crate::options::ControlOptions;
use crate::passes::{
    Housekeeping, NodeKeys, Nodes, Operations, Passes, Scaling, StrayPass, Strays, Vms, Workloads,
    holder_name,
};
use crate::runners::{Ground, Runners};
use crate::state::{App, Placing, Shared};
use crate::vms::{Sessions, VmCalls};

/// Why a control plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The options are wrong; nothing was opened.
    #[error(transparent)]
    Options(#[from] Mistakes),
    /// The folder of data could not be made.
    #[error("the folder {path} could not be made")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The sealing key could not be loaded.
    #[error("the sealing key could not be loaded")]
    Key(#[from] KeyError),
    /// The database could not be opened.
    #[error("the database could not be opened")]
    Open(#[from] OpenError),
    /// The database could not be used.
    #[error("the database could not be read")]
    Store(#[from] StoreError),
    /// The certificate of the API could not be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address of the API could not be bound.
    #[error("could not listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The credentials for the control NATS could not be used.
    #[error("the connection to NATS could not be set up")]
    Nats(#[source] std::io::Error),
    /// What is said of the identity provider cannot be used.
    #[error("the identity provider cannot be used")]
    SignIn(#[source] OidcError),
}

/// A running control plane.
#[derive(Debug)]
pub struct Control {
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

/// How long open requests may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// How many explanations are made at a time.
const EXPLAIN_AT_ONCE: usize = 4;

/// Between two looks of passes that are woken, and of those that watch.
const LONGEST_FLOOR: Duration = Duration::from_secs(1);

/// Between two sweeps, and two looks at the stream of logs.
const SELDOM: Duration = Duration::from_mins(1);

impl Control {
    /// Starts a control plane that runs until `stop` is cancelled.
    pub async fn start(
        options: ControlOptions,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        options.check()?;
        for remark in options.remarks() {
            tracing::warn!("{remark}");
        }
        let Parts {
            app,
            incoming,
            logs,
        } = open(&options, stop.clone()).await?;
        let tls = match options.tls.clone() {
            Some(files) => Some(Tls::open(files).await?),
            None => None,
        };
        let (listener, address) = listen(options.listen).await?;
        let mut tasks = vec![tokio::spawn(nodes::answers(app.clone(), incoming))];
        tasks.extend(start_passes(&app, &options, logs));
        let router = http::api(app);
        tasks.push(tokio::spawn(answer(listener, router, tls, stop)));
        Ok(Self { address, tasks })
    }

    /// Where the API answers.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until everything has ended, after the stop.
    pub async fn join(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the control plane ended badly");
            }
        }
    }
}

/// What was opened.
pub(crate) struct Parts {
    pub(crate) app: App,
    pub(crate) incoming: mpsc::Receiver<nodes::Answer>,
    pub(crate) logs: Option<LogStream>,
}

/// Opens everything but the port.
pub(crate) async fn open(
    options: &ControlOptions,
    stop: CancellationToken,
) -> Result<Parts, StartError> {
    let store = open_store(options).await?;
    let files = open_files(options)?;
    let jetstream = open_jetstream(options).await?;
    let timing = Timing::of(options.heartbeat);
    let (answers, incoming) = mpsc::channel(nodes::BATCH);
    let passes = Passes::default();
    let holder = holder_name(store.backend());
    let runners = start_runners(options, (&store, &passes, &holder), stop.clone());
    let patience = timing.heartbeat.clamp(SHORTEST_CALL, LONGEST_CALL);
    let shared = Shared {
        holder,
        runners,
        fleet_size: AtomicUsize::new(store.node_list().await?.len()),
        store,
        files,
        known_artifacts: KnownArtifacts::default(),
        explaining: Semaphore::new(EXPLAIN_AT_ONCE),
        strays: Strays::default(),
        calls: NodeCalls::new(patience, answers, passes.clone()),
        vm_strays: Strays::default(),
        vm_calls: VmCalls::new(patience, passes.clone()),
        consoles: Sessions::default(),
        passes,
        known_tokens: KnownTokens::default(),
        guesses: Guesses::default(),
        attempts: LoginAttempts::default(),
        sessions: options.sessions,
        oidc: open_oidc(options)?,
        logs: jetstream.clone().map(LogHistory),
        node_nats: options.node_nats.url.clone(),
        public_url: options.public_url.clone(),
        metrics: options.metrics.clone(),
        clock: options.clock.clone(),
        timing,
        placing: Placing {
            policy: options.policy,
            overcommits: options.overcommits.clone(),
        },
        stop,
    };
    Ok(Parts {
        app: App::new(shared),
        incoming,
        logs: jetstream.map(LogStream),
    })
}

async fn open_jetstream(
    options: &ControlOptions,
) -> Result<Option<jetstream::Context>, StartError> {
    let Some(nats) = &options.nats else {
        return Ok(None);
    };
    let client = nats.connect().await.map_err(StartError::Nats)?;
    Ok(Some(jetstream::new(client)))
}

fn open_oidc(options: &ControlOptions) -> Result<Option<Arc<Oidc>>, StartError> {
    let oidc = options.sign_in.clone().map(Oidc::new).transpose();
    Ok(oidc.map_err(StartError::SignIn)?.map(Arc::new))
}

fn open_files(options: &ControlOptions) -> Result<ArtifactFiles, StartError> {
    let path = options.data_dir.join("artifacts");
    let limits = options.artifacts;
    ArtifactFiles::open(path.clone(), limits).map_err(|source| StartError::Folder { path, source })
}

/// The runner manager, if anything gives machines.
fn start_runners(
    options: &ControlOptions,
    (store, passes, holder): (&Store, &Passes, &str),
    stop: CancellationToken,
) -> Option<Runners> {
    let ground = Ground {
        store: store.clone(),
        clock: options.clock.clone(),
        passes: passes.clone(),
        holder: holder.to_owned(),
    };
    let runners = options.runners.clone()?;
    Some(Runners::start(runners, ground, stop))
}

/// How long a node may take to answer an order: a heartbeat, within these.
const SHORTEST_CALL: Duration = Duration::from_secs(2);
const LONGEST_CALL: Duration = Duration::from_secs(10);

async fn open_store(options: &ControlOptions) -> Result<Store, StartError> {
    let folder = &options.data_dir;
    std::fs::create_dir_all(folder).map_err(|source| StartError::Folder {
        path: folder.clone(),
        source,
    })?;
    let key = SealingKey::load_or_create(&options.sealing_key_file)?;
    let store = Store::open(&options.database_url, key).await?;
    if let Some(secret) = &options.api_token {
        let by = By::new("hostler", (options.clock)());
        let policies = vec![Policy::Admin.to_string()];
        store.bootstrap_admin(&by, secret, policies).await?;
    }
    Ok(store)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn start_passes(
    app: &App,
    options: &ControlOptions,
    logs: Option<LogStream>,
) -> Vec<JoinHandle<()>> {
    let (passes, stop) = (&app.passes, &app.stop);
    let often = (app.timing.heartbeat / 2).min(LONGEST_FLOOR);
    let housekeeping = Housekeeping::new(app.clone(), options.artifacts.grace);
    let mut tasks = vec![
        passes.spawn(Workloads::new(app.clone()), often, stop.clone()),
        passes.spawn(Vms::new(app.clone()), often, stop.clone()),
        passes.spawn(StrayPass(app.clone()), often, stop.clone()),
        passes.spawn(Nodes::new(app.clone()), often, stop.clone()),
        passes.spawn(Operations(app.clone()), often, stop.clone()),
        passes.spawn(housekeeping, SELDOM, stop.clone()),
    ];
    if let Some(file) = options.node_nats.keys_file.clone() {
        let keys = NodeKeys::new(app.clone(), file);
        tasks.push(passes.spawn(keys, often, stop.clone()));
    }
    if app.runners.is_some() {
        tasks.push(passes.spawn(Scaling::new(app.clone()), often, stop.clone()));
    }
    tasks.extend(logs.map(|logs| passes.spawn(logs, SELDOM, stop.clone())));
    tasks
}

/// Answers requests until the stop, and open ones for a while longer.
async fn answer(listener: TcpListener, router: Router, tls: Option<Tls>, stop: CancellationToken) {
    if let Err(error) = serve(listener, router, tls, (stop, GRACE)).await {
        tracing::error!(%error, "the API ended");
    }
}
