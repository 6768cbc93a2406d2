//! Roles: named sets of policies. Four are built in and change with the
//! program; own ones are kept in the store under other names.

use std::collections::BTreeMap;

use super::{Policy, PolicySet, Rights};
use crate::Name;

/// Own roles, by name. A built-in role outweighs one of the same name.
pub type OwnRoles = BTreeMap<Name, PolicySet>;

/// What a role of this name allows; nothing, if there is none.
pub fn role_policies(own: &OwnRoles, role: &Name) -> PolicySet {
    match BuiltIn::named(role.as_str()) {
        Some(role) => role.policies(),
        None => own.get(role).cloned().unwrap_or_default(),
    }
}

/// What was given to a user, of which rights are the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Policies, everywhere.
    pub policies: PolicySet,
    /// Roles, everywhere.
    pub roles: Vec<Name>,
    /// Roles in a project each.
    pub memberships: Vec<(Name, Name)>,
}

impl Grants {
    /// What they come to.
    pub fn rights(&self, own: &OwnRoles) -> Rights {
        let mut rights = Rights::of(None, self.policies.clone());
        for role in &self.roles {
            rights.add(Rights::of(None, role_policies(own, role)));
        }
        for (project, role) in &self.memberships {
            rights.add(Rights::of(Some(project.clone()), role_policies(own, role)));
        }
        rights
    }
}

/// A role that is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// Everything.
    Admin,
    /// Runs the fleet and everybody's work; makes no users and no policies.
    Operator,
    /// Runs work of their own.
    User,
    /// Looks.
    Viewer,
}

impl BuiltIn {
    /// All of them, the strongest first.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Operator, Self::User, Self::Viewer];

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::User => "user",
            Self::Viewer => "viewer",
        }
    }

    /// What it is for.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Admin => "Everything.",
            Self::Operator => "Runs the fleet and all work in it; makes no users.",
            Self::User => "Runs work, and makes tokens for it.",
            Self::Viewer => "Sees everything that is no secret.",
        }
    }

    /// What it may do. Each role may do all that the weaker ones may.
    pub fn policies(self) -> PolicySet {
        let all = Policy::all().iter().copied();
        match self {
            Self::Admin => PolicySet::from([Policy::Admin]),
            Self::Operator => all.filter(|policy| !is_about_power(*policy)).collect(),
            Self::User => all.filter(|policy| is_work(*policy)).collect(),
            Self::Viewer => all.filter(|policy| is_look(*policy)).collect(),
        }
    }
}

/// Who has it can give power or take it away, or reads who did what.
fn is_about_power(policy: Policy) -> bool {
    use Policy::{
        Admin, AuditGet, MembersManage, ProjectsManage, RolesManage, UsersCreate, UsersDelete,
        UsersUpdate,
    };
    matches!(
        policy,
        Admin
            | AuditGet
            | MembersManage
            | ProjectsManage
            | RolesManage
            | UsersCreate
            | UsersDelete
            | UsersUpdate
    )
}

fn is_work(policy: Policy) -> bool {
    is_look(policy) || (!policy.is_fleet_wide() && !is_about_power(policy))
}

fn is_look(policy: Policy) -> bool {
    policy.as_str().ends_with(":get") && policy != Policy::AuditGet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_all_that_the_weaker_ones_may() {
        for pair in BuiltIn::ALL.windows(2) {
            let [stronger, weaker] = [pair[0].policies(), pair[1].policies()];
            let lacked = weaker.iter().find(|policy| !policy.is_in(&stronger));
            assert_eq!(lacked, None, "{:?}", pair[0]);
        }
    }

    #[test]
    fn rights_are_the_sum_of_what_was_given() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let own = OwnRoles::from([
            (name("runner"), PolicySet::from([Policy::RunnersGet])),
            (name("admin"), PolicySet::new()),
        ]);
        let mut grants = Grants {
            policies: PolicySet::from([Policy::NodesGet]),
            roles: vec![name("runner"), name("gone")],
            memberships: vec![(name("a"), name("user"))],
        };
        let rights = grants.rights(&own);
        assert!(rights.holds(Policy::NodesGet) && rights.holds(Policy::RunnersGet));
        assert!(rights.holds_in(Policy::WorkloadsCreate, &name("a")));
        assert!(!rights.holds_in(Policy::WorkloadsCreate, &name("b")));
        grants.roles.push(name("admin"));
        assert!(grants.rights(&own).holds(Policy::NodesDelete));
    }

    #[test]
    fn a_role_allows_what_its_name_says() {
        let check = |name: &str, policy: Policy, expected| {
            let role = BuiltIn::named(name).unwrap();
            assert_eq!(policy.is_in(&role.policies()), expected, "{name}: {policy}");
        };
        check("admin", Policy::UsersDelete, true);
        check("operator", Policy::NodesDrain, true);
        check("operator", Policy::UsersCreate, false);
        check("operator", Policy::Admin, false);
        check("user", Policy::WorkloadsCreate, true);
        check("user", Policy::NodesDrain, false);
        check("user", Policy::MembersManage, false);
        check("viewer", Policy::WorkloadsGet, true);
        check("viewer", Policy::WorkloadsLogs, false);
        check("viewer", Policy::AuditGet, false);
        assert_eq!(BuiltIn::named("root"), None);
    }
}
