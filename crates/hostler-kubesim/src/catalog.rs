//! Every resource that is served: a flat table. What is not in it is answered
//! with 404, as an API server answers for a resource that it does not know.

/// One resource: how it is called in paths, bodies and discovery.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) short: &'static [&'static str],
    pub(crate) subresources: &'static [&'static str],
}

/// What the store knows a resource by. Both kinds of events share one.
pub(crate) type Id = (&'static str, &'static str);

impl Resource {
    pub(crate) fn id(&self) -> Id {
        match self.plural {
            "events" => ("", "events"),
            plural => (self.group, plural),
        }
    }

    /// `v1`, `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `pods`, `leases.coordination.k8s.io`: as refusals name it.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    pub(crate) fn singular(&self) -> String {
        self.kind.to_lowercase()
    }

    pub(crate) fn has_status(&self) -> bool {
        self.subresources.contains(&"status")
    }
}

const fn resource(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    namespaced: bool,
) -> Resource {
    Resource {
        group,
        version: "v1",
        plural,
        kind,
        namespaced,
        short: &[],
        subresources: &[],
    }
}

const STATUS: &[&str] = &["status"];
const RBAC: &str = "rbac.authorization.k8s.io";
const REVIEW: &str = "authorization.k8s.io";

pub(crate) static PODS: Resource = Resource {
    short: &["po"],
    subresources: &["status", "binding", "eviction"],
    ..resource("", "pods", "Pod", true)
};
pub(crate) static NODES: Resource = Resource {
    short: &["no"],
    subresources: STATUS,
    ..resource("", "nodes", "Node", false)
};
pub(crate) static NAMESPACES: Resource = Resource {
    short: &["ns"],
    subresources: STATUS,
    ..resource("", "namespaces", "Namespace", false)
};
pub(crate) static EVENTS: Resource = Resource {
    short: &["ev"],
    ..resource("", "events", "Event", true)
};
pub(crate) static EVENTS_NEW: Resource = Resource {
    short: &["ev"],
    ..resource("events.k8s.io", "events", "Event", true)
};
pub(crate) static QUOTAS: Resource = Resource {
    short: &["quota"],
    subresources: STATUS,
    ..resource("", "resourcequotas", "ResourceQuota", true)
};
pub(crate) static ACCOUNTS: Resource = Resource {
    short: &["sa"],
    ..resource("", "serviceaccounts", "ServiceAccount", true)
};
pub(crate) static CONFIG_MAPS: Resource = Resource {
    short: &["cm"],
    ..resource("", "configmaps", "ConfigMap", true)
};
pub(crate) static SECRETS: Resource = resource("", "secrets", "Secret", true);
pub(crate) static SERVICES: Resource = Resource {
    short: &["svc"],
    subresources: STATUS,
    ..resource("", "services", "Service", true)
};
pub(crate) static DAEMON_SETS: Resource = Resource {
    short: &["ds"],
    subresources: STATUS,
    ..resource("apps", "daemonsets", "DaemonSet", true)
};
/// Kept, never acted on: its controller is not here.
pub(crate) static DEPLOYMENTS: Resource = Resource {
    short: &["deploy"],
    subresources: STATUS,
    ..resource("apps", "deployments", "Deployment", true)
};
pub(crate) static LEASES: Resource = resource("coordination.k8s.io", "leases", "Lease", true);
pub(crate) static PRIORITIES: Resource = Resource {
    short: &["pc"],
    ..resource(
        "scheduling.k8s.io",
        "priorityclasses",
        "PriorityClass",
        false,
    )
};
pub(crate) static ROLES: Resource = resource(RBAC, "roles", "Role", true);
pub(crate) static ROLE_BINDINGS: Resource = resource(RBAC, "rolebindings", "RoleBinding", true);
pub(crate) static CLUSTER_ROLES: Resource = resource(RBAC, "clusterroles", "ClusterRole", false);
pub(crate) static CLUSTER_ROLE_BINDINGS: Resource =
    resource(RBAC, "clusterrolebindings", "ClusterRoleBinding", false);
/// Answered at once, never kept.
pub(crate) static ACCESS_REVIEWS: Resource = resource(
    REVIEW,
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    false,
);

/// Everything, in the order of discovery.
pub(crate) static ALL: [&Resource; 19] = [
    &PODS,
    &NODES,
    &NAMESPACES,
    &EVENTS,
    &QUOTAS,
    &ACCOUNTS,
    &CONFIG_MAPS,
    &SECRETS,
    &SERVICES,
    &DAEMON_SETS,
    &DEPLOYMENTS,
    &LEASES,
    &PRIORITIES,
    &ROLES,
    &ROLE_BINDINGS,
    &CLUSTER_ROLES,
    &CLUSTER_ROLE_BINDINGS,
    &ACCESS_REVIEWS,
    &EVENTS_NEW,
];

/// The resource of a path.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
    ALL.into_iter()
        .find(|one| one.group == group && one.version == version && one.plural == plural)
}
