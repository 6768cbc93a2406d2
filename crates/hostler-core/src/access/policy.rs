//! The words of access: what a route demands and a token carries.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The policies a token carries.
pub type PolicySet = BTreeSet<Policy>;

/// A word that is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a policy")]
pub struct PolicyError(pub String);

/// Declares the policies once: name, word on the wire, description, and
/// whether the policy is about the fleet rather than about one project.
macro_rules! policies {
    ($($name:ident, $word:literal, $about:ident, $text:literal;)*) => {
        /// A right that routes demand and tokens carry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Policy {
            $(#[doc = $text] $name,)*
        }

        impl Policy {
            /// Every policy, in the order of its documentation.
            pub const fn all() -> &'static [Self] {
                &[$(Self::$name,)*]
            }

            /// Its word on the wire, such as `nodes:get`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it allows, in a sentence.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether what it is about belongs to the whole fleet, so that a
            /// token bound to one project can never use it.
            pub const fn is_fleet_wide(self) -> bool {
                match self { $(Self::$name => policies!(@ $about),)* }
            }
        }
    };
    (@ fleet) => { true };
    (@ project) => { false };
}

policies! {
    NodesGet, "nodes:get", fleet, "See nodes and what they hold.";
    NodesCreate, "nodes:create", fleet, "Register nodes by hand.";
    NodesUpdate, "nodes:update", fleet, "Open and close nodes and set their labels.";
    NodesDelete, "nodes:delete", fleet, "Unregister nodes.";
    NodesDrain, "nodes:drain", fleet, "Move all work away from nodes.";
    RunnersGet, "runners:get", fleet, "See runners, their jobs, their pools and their machines.";
    RunnersCreate, "runners:create", fleet, "Ask for machines.";
    RunnersDelete, "runners:delete", fleet, "Give machines back.";
    JoinTokensManage, "join-tokens:manage", fleet, "Make, see and delete tokens that nodes join with.";
    WorkloadsGet, "workloads:get", project, "See workloads and why they are where they are.";
    WorkloadsCreate, "workloads:create", project, "Deploy workloads.";
    WorkloadsUpdate, "workloads:update", project, "Start and stop workloads.";
    WorkloadsDelete, "workloads:delete", project, "Delete workloads.";
    WorkloadsLogs, "workloads:logs", project, "Read what workloads write.";
    ArtifactsGet, "artifacts:get", project, "See and download artifacts.";
    ArtifactsCreate, "artifacts:create", project, "Upload artifacts.";
    ArtifactsDelete, "artifacts:delete", project, "Delete artifacts.";
    VmsGet, "vms:get", project, "See VMs and why they are where they are.";
    VmsCreate, "vms:create", project, "Make VMs.";
    VmsStart, "vms:start", project, "Start, resume and restart VMs.";
    VmsStop, "vms:stop", project, "Stop and pause VMs.";
    VmsRename, "vms:rename", project, "Rename VMs.";
    VmsUpdate, "vms:update", project, "Resize, label and protect VMs, and change what becomes of them.";
    VmsDelete, "vms:delete", project, "Delete VMs and have them back from the trash.";
    VmsConsole, "vms:console", project, "Use the consoles of VMs, and share them.";
    VmsScreenshot, "vms:screenshot", project, "See what VMs show on their screens.";
    VmsDuplicate, "vms:duplicate", project, "Clone VMs.";
    VmsSnapshots, "vms:snapshots", project, "Take, see and remove snapshots of VMs, and go back to them.";
    VmsRecover, "vms:recover", fleet, "See machines that nobody here ordered, adopt and remove them.";
    ImagesGet, "images:get", project, "See the catalogue of images.";
    ImagesCreate, "images:create", project, "Register and import images.";
    ImagesDelete, "images:delete", project, "Take images out of the catalogue.";
    ActivityGet, "activity:get", project, "Read the history of changes.";
    TokensGet, "tokens:get", project, "See tokens, without their secrets.";
    TokensCreate, "tokens:create", project, "Make tokens that carry no more than one's own.";
    TokensDelete, "tokens:delete", project, "Delete tokens.";
    OperationsGet, "operations:get", fleet, "See long changes and how far they are.";
    OperationsCancel, "operations:cancel", fleet, "Call off long changes.";
    UsersGet, "users:get", fleet, "See users and roles.";
    UsersCreate, "users:create", fleet, "Make users that may do no more than oneself.";
    UsersUpdate, "users:update", fleet, "Change users: roles, policies, passwords, whether they may sign in.";
    UsersDelete, "users:delete", fleet, "Delete users.";
    RolesManage, "roles:manage", fleet, "Make, change and delete roles.";
    ProjectsGet, "projects:get", project, "See projects, their members and how much they use.";
    ProjectsManage, "projects:manage", fleet, "Make and delete projects and set their quotas.";
    MembersManage, "members:manage", project, "Say who is a member of a project, and in which role.";
    AuditGet, "audit:get", fleet, "Read the audit log.";
    PoliciesGet, "policies:get", project, "See which policies there are.";
    MetricsGet, "metrics:get", fleet, "Read the control plane's metrics.";
    Admin, "hostler:admin", project, "Everything: implies every other policy.";
}

impl Policy {
    /// Whether a token that carries `held` has this policy.
    pub fn is_in(self, held: &PolicySet) -> bool {
        held.contains(&self) || held.contains(&Self::Admin)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(word: &str) -> Result<Self, PolicyError> {
        let mut all = Self::all().iter().copied();
        all.find(|policy| policy.as_str() == word)
            .ok_or_else(|| PolicyError(word.to_owned()))
    }
}

impl TryFrom<String> for Policy {
    type Error = PolicyError;

    fn try_from(word: String) -> Result<Self, PolicyError> {
        word.parse()
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_reads_back_its_own_word() {
        let words: BTreeSet<_> = Policy::all().iter().map(|policy| policy.as_str()).collect();
        assert_eq!(words.len(), Policy::all().len(), "words are unique");
        for policy in Policy::all() {
            assert_eq!(policy.to_string().parse(), Ok(*policy));
            let json = serde_json::to_string(policy).unwrap();
            assert_eq!(json, format!("\"{policy}\""));
            assert!(policy.description().ends_with('.'), "{policy}");
        }
    }

    #[test]
    fn what_is_not_a_word_is_refused() {
        for bad in ["", "nodes", "nodes:*", "Nodes:get", "hostler:admin "] {
            assert_eq!(bad.parse::<Policy>(), Err(PolicyError(bad.to_owned())));
        }
    }

    #[test]
    fn admin_implies_every_policy() {
        let admin = PolicySet::from([Policy::Admin]);
        assert!(Policy::all().iter().all(|policy| policy.is_in(&admin)));
        let one = PolicySet::from([Policy::NodesGet]);
        assert!(Policy::NodesGet.is_in(&one));
        assert!(!Policy::NodesDelete.is_in(&one));
        assert!(!Policy::Admin.is_in(&one));
    }
}
