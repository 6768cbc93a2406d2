//! Every key that files of the original may have, of all its times, and what
//! becomes of it here.

use super::Weight;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is done as it says.
    Followed,
    /// It is an object with keys of its own.
    Object,
    /// It is read, and not done.
    Left(Weight, &'static str),
}

use Standing::{Followed, Left, Object};

const NO_NETWORK: &str = "slots of this node have no network card of their own";
const TELEMETRY: &str = "logs, metrics and traces are set by this program's own flags";
const LIMITS: &str = "nothing here limits the disk or network of a slot";

/// All of them, with the names of the objects they are in.
pub(super) const KEYS: [(&str, Standing); 49] = [
    ("agent_handshake_timeout_ms", Followed),
    ("agent_ping_timeout_ms", Followed),
    (
        "autostart",
        Left(
            Weight::Unknown,
            "deploy the workload once; the node remembers it",
        ),
    ),
    ("bin_path", Followed),
    ("cni", Object),
    ("cni.bin_path", Followed),
    ("cni.interface_name", Left(Weight::Note, NO_NETWORK)),
    ("cni.nameservers", Left(Weight::Note, NO_NETWORK)),
    ("cni.network_name", Followed),
    ("cni.subnet", Followed),
    ("default_resource_dir", Followed),
    ("deny_trigger_subjects", Followed),
    (
        "errors",
        Left(
            Weight::Note,
            "it is something the original writes, not reads",
        ),
    ),
    (
        "host_services",
        Left(
            Weight::Guard,
            "services are chosen by --host-services, --http-allow, --http-deny and --http-host; without those flags all are on",
        ),
    ),
    ("internal_node_debug", Left(Weight::Note, TELEMETRY)),
    (
        "internal_node_host",
        Left(
            Weight::Note,
            "the inner NATS listens on loopback, with a credential for each slot",
        ),
    ),
    (
        "internal_node_port",
        Left(
            Weight::Note,
            "the inner NATS takes a free port, as the original's does",
        ),
    ),
    (
        "internal_node_store_dir",
        Left(
            Weight::Note,
            "everything is kept in the data folder: --data",
        ),
    ),
    ("kernel_file", Followed),
    ("kernel_filepath", Followed),
    ("kernel_path", Followed),
    ("machine_pool_size", Followed),
    ("machine_template", Object),
    ("machine_template.memsize_mib", Followed),
    ("machine_template.vcpu_count", Followed),
    (
        "nexus",
        Left(Weight::Note, "nodes are grouped by labels: --label"),
    ),
    ("no_sandbox", Followed),
    ("node_limits", Object),
    (
        "node_limits.max_total_bytes",
        Left(
            Weight::Guard,
            "only one artifact's size and the number of workloads are limited",
        ),
    ),
    ("node_limits.max_workload_bytes", Followed),
    ("node_limits.max_workloads", Followed),
    ("otel_metrics", Left(Weight::Note, TELEMETRY)),
    ("otel_metrics_exporter", Left(Weight::Note, TELEMETRY)),
    ("otel_metrics_port", Left(Weight::Note, TELEMETRY)),
    ("otel_traces", Left(Weight::Note, TELEMETRY)),
    ("otel_traces_exporter", Left(Weight::Note, TELEMETRY)),
    ("otlp_exporter_url", Left(Weight::Note, TELEMETRY)),
    (
        "pid_filepath",
        Left(
            Weight::Note,
            "the data folder has a lock: one node at a time uses it",
        ),
    ),
    (
        "preserve_network",
        Left(
            Weight::Note,
            "no network interface of others is ever touched",
        ),
    ),
    (
        "public_nats_server",
        Left(
            Weight::Guard,
            "this node starts no NATS server for workloads; run one, with users of its own",
        ),
    ),
    ("rate_limiters", Left(Weight::Guard, LIMITS)),
    ("requester_public_keys", Followed),
    ("rootfs_file", Followed),
    ("rootfs_filepath", Followed),
    ("rootfs_path", Followed),
    (
        "start_workload_message_delay_ms",
        Left(Weight::Note, "nothing is delayed"),
    ),
    ("tags", Followed),
    ("valid_issuers", Followed),
    ("workload_types", Followed),
];

/// Words in a key that nobody knows which suggest that it was for safety.
const GUARDS: [&str; 9] = [
    "allow",
    "auth",
    "deny",
    "issuer",
    "key",
    "limit",
    "max",
    "requester",
    "sandbox",
];

/// What becomes of a key, in whatever case it is written.
pub(super) fn standing(key: &str) -> Option<Standing> {
    let found = KEYS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(key));
    found.map(|(_, standing)| *standing)
}

/// A key that is meant, perhaps, by one that nobody knows.
pub(super) fn near(key: &str) -> Option<&'static str> {
    let key = key.to_ascii_lowercase();
    let known = KEYS.iter().map(|(known, _)| *known);
    known
        .map(|known| (distance(known.as_bytes(), key.as_bytes()), known))
        .filter(|(distance, _)| *distance <= SLIPS)
        .min()
        .map(|(_, known)| known)
}

/// How many slips of a finger are forgiven.
const SLIPS: usize = 2;

/// How many bytes must be put in, taken out or replaced.
fn distance(one: &[u8], other: &[u8]) -> usize {
    if one.len().abs_diff(other.len()) > SLIPS {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.iter().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (to, right) in other.iter().enumerate() {
            let replaced = before + usize::from(left != right);
            before = row[to + 1];
            row[to + 1] = replaced.min(before + 1).min(row[to] + 1);
        }
    }
    row[other.len()]
}

/// The weight of a key that nobody knows, or of what it may mean.
pub(super) fn unknown_weight(key: &str) -> Weight {
    let key = near(key).unwrap_or(key).to_ascii_lowercase();
    if GUARDS.iter().any(|word| key.contains(word)) {
        Weight::Guard
    } else {
        Weight::Unknown
    }
}
