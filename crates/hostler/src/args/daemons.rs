//! Flags of the long-running programs.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use hostler_core::{Bytes, Cpu};

use super::MicrovmArgs;

/// What both programs with the API in them are told.
#[derive(Clone, Debug, Args)]
pub(crate) struct ApiArgs {
    /// Where everything is kept
    #[arg(long, env = "HOSTLER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Where the API listens
    #[arg(
        long,
        env = "HOSTLER_LISTEN",
        default_value = "127.0.0.1:3010",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    /// Milliseconds between two heartbeats of a node
    #[arg(
        long,
        env = "HOSTLER_HEARTBEAT_MS",
        default_value_t = 15_000,
        value_name = "MS"
    )]
    pub heartbeat_ms: u64,
}

/// The programs that a node starts.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Programs {
    /// The nats-server program
    #[arg(long, env = "HOSTLER_NATS_SERVER", value_name = "FILE")]
    pub nats_server: Option<PathBuf>,
    /// The agent program; else beside this one
    #[arg(long, env = "HOSTLER_AGENT", value_name = "FILE")]
    pub agent: Option<PathBuf>,
}

/// How a node holds VMs.
#[derive(Clone, Debug, Args)]
pub(crate) struct VmArgs {
    /// How VMs are held: best, which is by libvirt where that answers; libvirt,
    /// none, or fake for simulated nodes
    #[arg(
        long,
        env = "HOSTLER_VMS",
        default_value = "best",
        value_name = "DRIVER"
    )]
    pub vms: String,
    /// What is given to the disks of VMs, such as 200GiB; else four fifths of the disk
    #[arg(long, value_name = "BYTES")]
    pub vm_disk: Option<Bytes>,
    /// What is not as usual with libvirt, as TOML: uri, prefix, bridge, network
    #[arg(long, env = "HOSTLER_VMS_FILE", value_name = "FILE")]
    pub vms_file: Option<PathBuf>,
}

/// `hostler up`.
#[derive(Clone, Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub api: ApiArgs,
    /// The port of the NATS server; else 4222, or a free one if that is taken
    #[arg(long, env = "HOSTLER_NATS_PORT", value_name = "PORT")]
    pub nats_port: Option<u16>,
    /// Where the NATS server listens, if not on loopback
    #[arg(
        long,
        env = "HOSTLER_NATS_LISTEN",
        value_name = "ADDRESS",
        conflicts_with = "nats_port"
    )]
    pub nats_listen: Option<SocketAddr>,
    /// What other machines call this one; else its address
    #[arg(long, env = "HOSTLER_PUBLIC_HOST", value_name = "HOST")]
    pub public_host: Option<String>,
    #[command(flatten)]
    pub programs: Programs,
    #[command(flatten)]
    pub machines: VmArgs,
    #[command(flatten)]
    pub growth: GrowthArgs,
}

/// How `hostler up` grows.
#[derive(Clone, Debug, Args)]
pub(crate) struct GrowthArgs {
    /// Start nodes when work needs them, up to so many in all, and end those
    /// that nothing needs; each is a process of this machine
    #[arg(long, env = "HOSTLER_GROW_TO", default_value_t = 1, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub grow_to: u32,
    /// How long a node is on its way before it starts, such as 3s, as machines
    /// of a cloud are
    #[arg(
        long,
        env = "HOSTLER_BOOT_DELAY",
        default_value = "0s",
        value_name = "TIME"
    )]
    pub boot_delay: humantime::Duration,
    /// A `runners.toml` with their pools: how many boot at once, when idle ones go
    #[arg(long, env = "RUNNERS_FILE", value_name = "FILE")]
    pub runners_file: Option<PathBuf>,
}

/// What gives a control plane machines.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunnerArgs {
    /// What gives machines when work needs more: kubernetes, local; else
    /// nothing does
    #[arg(long = "runners", env = "PROVIDER_TYPE", value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Their pools; else runners.toml, if it is there
    #[arg(long, env = "RUNNERS_FILE", value_name = "FILE")]
    pub runners_file: Option<PathBuf>,
}

/// `hostler control`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ControlArgs {
    #[command(flatten)]
    pub api: ApiArgs,
    /// <sqlite:///path> or postgres://...; else SQLite in the data folder
    #[arg(
        long,
        env = "HOSTLER_DATABASE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database: Option<String>,
    /// The bootstrap admin's bearer token
    #[arg(long, env = "API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub api_token: Option<String>,
    /// A file with the bootstrap admin's bearer token
    #[arg(long, value_name = "FILE", conflicts_with = "api_token")]
    pub api_token_file: Option<PathBuf>,
    /// The control NATS, for logs
    #[arg(long, env = "NATS_URL", value_name = "URL")]
    pub nats: Option<String>,
    /// A file with the nkey seed to use there
    #[arg(long, env = "NATS_NKEY", value_name = "FILE")]
    pub nats_seed: Option<PathBuf>,
    /// The control NATS as nodes reach it, for those that join
    #[arg(long, env = "HOSTLER_NODE_NATS", value_name = "URL")]
    pub node_nats: Option<String>,
    /// A file to keep the public keys of all nodes in, for that server
    #[arg(long, env = "HOSTLER_NODE_KEYS", value_name = "FILE")]
    pub node_keys: Option<PathBuf>,
    /// How people and machines reach the API, if not where it listens
    #[arg(long, env = "HOSTLER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// The API's certificate, with those that signed it, as PEM; else it
    /// answers in the clear
    #[arg(long, env = "TLS_CERT_FILE", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of that certificate
    #[arg(long, env = "TLS_KEY_FILE", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// How nodes are compared: least-loaded, round-robin, sticky, bin-pack
    #[arg(
        long,
        env = "HOSTLER_POLICY",
        default_value = "least-loaded",
        value_name = "POLICY"
    )]
    pub policy: String,
    #[command(flatten)]
    pub runners: RunnerArgs,
    #[command(flatten)]
    pub sign_in: SignInArgs,
}

/// Where else users sign in.
#[derive(Clone, Debug, Args)]
#[allow(
    clippy::struct_field_names,
    reason = "the fields are the names of flags"
)]
pub(crate) struct SignInArgs {
    /// An identity provider (`OpenID` Connect) where users sign in too; needs --public-url
    #[arg(
        long,
        env = "HOSTLER_OIDC_ISSUER",
        value_name = "URL",
        requires_all = ["oidc_client_id", "public_url"]
    )]
    pub oidc_issuer: Option<String>,
    /// What the provider calls this control plane
    #[arg(long, env = "HOSTLER_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,
    /// A file with the secret that the provider gave it
    #[arg(long, env = "HOSTLER_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// What to ask for besides openid
    #[arg(
        long,
        env = "HOSTLER_OIDC_SCOPES",
        value_delimiter = ',',
        default_value = "profile,email",
        value_name = "SCOPES"
    )]
    pub oidc_scopes: Vec<String>,
    /// The claim that lists a user's groups
    #[arg(
        long,
        env = "HOSTLER_OIDC_GROUPS_CLAIM",
        default_value = "groups",
        value_name = "CLAIM"
    )]
    pub oidc_groups_claim: String,
    /// What a group gives: GROUP=ROLE, or GROUP=ROLE@PROJECT; may be repeated
    #[arg(
        long = "oidc-group",
        env = "HOSTLER_OIDC_GROUPS",
        value_delimiter = ',',
        value_name = "GROUP=ROLE"
    )]
    pub oidc_groups: Vec<String>,
}

/// `hostler node up`.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeUpArgs {
    /// A configuration of the original's nodes (machineconfig.json); flags
    /// outweigh it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept
    #[arg(long, env = "HOSTLER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Where the node's API listens; else where the control plane can reach it,
    /// on port 3011 if that is free
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The address the control plane reaches it at; else where it listens
    #[arg(long, value_name = "HOST")]
    pub hostname: Option<String>,
    /// The node's name; else the machine's
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The control plane to join
    #[arg(long, env = "HOSTLER_CONTROL", value_name = "URL")]
    pub control: Option<String>,
    /// A join token, needed once
    #[arg(
        long,
        env = "HOSTLER_JOIN_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub join_token: Option<String>,
    /// A file with a join token, needed once
    #[arg(long, value_name = "FILE", conflicts_with = "join_token")]
    pub join_token_file: Option<PathBuf>,
    /// The control NATS; else the control plane says, or <nats://127.0.0.1:4222>
    #[arg(long, env = "NATS_URL", value_name = "URL")]
    pub nats: Option<String>,
    /// A file with the nkey seed to use there
    #[arg(long, env = "NATS_NKEY", value_name = "FILE")]
    pub nats_seed: Option<PathBuf>,
    /// A label KEY=VALUE; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = super::work::pair)]
    pub labels: Vec<(String, String)>,
    /// Idle slots to keep warm, at least; else 2
    #[arg(long, value_name = "N")]
    pub warm: Option<u32>,
    /// Workloads to hold, at most; else 64
    #[arg(long, value_name = "N")]
    pub slots: Option<u32>,
    /// Processor it has for work, such as 2 or 1500m; else all of the machine's
    #[arg(long, value_name = "AMOUNT")]
    pub cpus: Option<Cpu>,
    /// Memory it has for work, such as 4GiB; else all of the machine's
    #[arg(long, value_name = "AMOUNT")]
    pub memory: Option<Bytes>,
    #[command(flatten)]
    pub programs: Programs,
    /// How slots are made: qemu for microVMs, process, fake for simulated nodes;
    /// best is microVMs where KVM works and there is something to boot, else process
    #[arg(long, default_value = "best", value_name = "DRIVER")]
    pub driver: String,
    #[command(flatten)]
    pub microvms: MicrovmArgs,
    #[command(flatten)]
    pub machines: VmArgs,
    /// Stop all work when the node is stopped, instead of leaving it running
    #[arg(long)]
    pub stop_work: bool,
    #[command(flatten)]
    pub services: ServiceArgs,
}

/// What functions may have the node do for them.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServiceArgs {
    /// The host services for functions; `none` for none
    #[arg(
        long,
        default_value = "kv,objectstore,messaging,http",
        value_delimiter = ',',
        value_name = "LIST"
    )]
    pub host_services: Vec<String>,
    /// A network that functions may reach over HTTP although it is not public,
    /// such as 10.1.0.0/16; may be repeated
    #[arg(long, value_name = "NETWORK")]
    pub http_allow: Vec<hostler_core::services::Network>,
    /// A network that functions may not reach; may be repeated
    #[arg(long, value_name = "NETWORK")]
    pub http_deny: Vec<hostler_core::services::Network>,
    /// A host that functions may reach, such as *.example.com; else any; may be
    /// repeated
    #[arg(long, value_name = "HOST")]
    pub http_host: Vec<String>,
}
