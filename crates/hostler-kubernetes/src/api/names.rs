//! Labels and annotations: the one table of what is written on objects.

/// The label of placeholders, as the seed has it.
pub const APP: (&str, &str) = ("app", "node-placeholder");
/// The label with the manager's name.
pub const MANAGER: &str = "hostler.dev/manager";
/// The label with the job that asked for it.
pub const JOB: &str = "hostler.dev/job-id";
/// The label with its index in that job.
pub const INDEX: &str = "hostler.dev/index";
/// The label with its pool.
pub const POOL: &str = "hostler.dev/pool";
/// The annotation with the moment its job was asked for.
pub const REQUESTED: &str = "hostler.dev/requested-at";
/// The annotation with the moment its job is given up.
pub const DEADLINE: &str = "hostler.dev/deadline";
/// The label of `ConfigMaps` that hold jobs: the manager's name.
pub const BOOK: &str = "hostler.dev/job-book";

/// What keeps Cluster Autoscaler from taking the node away.
pub const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";
/// What keeps Karpenter from it.
pub const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";

/// The label that nodes have their name in.
pub const HOSTNAME: &str = "kubernetes.io/hostname";

/// Taints that say the node will be taken away.
pub const NOTICES: [&str; 6] = [
    "ToBeDeletedByClusterAutoscaler",
    "karpenter.sh/disrupted",
    "aws-node-termination-handler/spot-itn",
    "aws-node-termination-handler/scheduled-maintenance",
    "cloud.google.com/impending-node-termination",
    "node.kubernetes.io/out-of-service",
];
