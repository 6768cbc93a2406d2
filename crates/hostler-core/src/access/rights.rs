//! What somebody may do, and where: some things everywhere, others in one
//! project each. Users have the sum of their roles; a token of theirs has what
//! both it and its owner have, at every look, so that it never outlives a
//! right that was taken away.

use std::collections::{BTreeMap, BTreeSet};

use super::{Policy, PolicySet};
use crate::Name;

/// What somebody may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Everywhere: in the fleet and in every project.
    pub everywhere: PolicySet,
    /// In one project each. What is about the fleet counts for nothing here.
    pub projects: BTreeMap<Name, PolicySet>,
}

/// Where a policy is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In every project.
    Everywhere,
    /// In these.
    Projects(BTreeSet<Name>),
}

impl Rights {
    /// These policies within `project`, or everywhere without one.
    pub fn of(project: Option<Name>, policies: PolicySet) -> Self {
        match project {
            None => Self {
                everywhere: policies,
                projects: BTreeMap::new(),
            },
            Some(project) => Self {
                everywhere: PolicySet::new(),
                projects: BTreeMap::from([(project, policies)]),
            },
        }
    }

    /// Whether the policy is held at all: for what is about the fleet, and
    /// for lists that show each caller its own part.
    pub fn holds(&self, policy: Policy) -> bool {
        let somewhere = || self.projects.values().any(|held| policy.is_in(held));
        policy.is_in(&self.everywhere) || (!policy.is_fleet_wide() && somewhere())
    }

    /// Whether the policy is held within this project.
    pub fn holds_in(&self, policy: Policy, project: &Name) -> bool {
        let here = || self.projects.get(project);
        policy.is_in(&self.everywhere)
            || (!policy.is_fleet_wide() && here().is_some_and(|held| policy.is_in(held)))
    }

    /// Whether there is anything that may be done in this project, so that
    /// saying what may not tells nothing new.
    pub fn knows(&self, project: &Name) -> bool {
        let any = |policy: &Policy| self.holds_in(*policy, project);
        Policy::all().iter().any(any)
    }

    /// Where the policy is held.
    pub fn reach(&self, policy: Policy) -> Reach {
        if policy.is_in(&self.everywhere) {
            return Reach::Everywhere;
        }
        let held = |(_, held): &(&Name, &PolicySet)| policy.is_in(held);
        let projects = self.projects.iter().filter(held);
        Reach::Projects(projects.map(|(project, _)| project.clone()).collect())
    }

    /// Adds what `more` may do.
    pub fn add(&mut self, more: Self) {
        self.everywhere.extend(more.everywhere);
        for (project, policies) in more.projects {
            self.projects.entry(project).or_default().extend(policies);
        }
    }

    /// What both these rights and `scope` allow.
    #[must_use]
    pub fn within(&self, scope: &Self) -> Self {
        let all = || Policy::all().iter().copied();
        let everywhere =
            |policy: &Policy| policy.is_in(&self.everywhere) && policy.is_in(&scope.everywhere);
        let names: BTreeSet<_> = self.projects.keys().chain(scope.projects.keys()).collect();
        let both = |project: &Name| {
            let held = |policy: &Policy| {
                self.holds_in(*policy, project) && scope.holds_in(*policy, project)
            };
            (project.clone(), all().filter(held).collect::<PolicySet>())
        };
        Self {
            everywhere: all().filter(everywhere).collect(),
            projects: names.into_iter().map(both).collect(),
        }
    }

    /// The first thing that `other` may do and these rights do not allow, and
    /// in which project (`None`: everywhere).
    pub fn lacks(&self, other: &Self) -> Option<(Policy, Option<Name>)> {
        let everywhere = other.everywhere.iter();
        let lacked = everywhere
            .filter(|policy| !policy.is_in(&self.everywhere))
            .map(|policy| (*policy, None));
        let within = other.projects.iter().flat_map(|(project, policies)| {
            let lacked = policies
                .iter()
                .filter(|policy| !self.covers(**policy, project));
            lacked.map(|policy| (*policy, Some(project.clone())))
        });
        lacked.chain(within).next()
    }

    /// What is about the fleet is held in no project, and given in none.
    fn covers(&self, policy: Policy, project: &Name) -> bool {
        policy.is_fleet_wide() && self.knows(project) || self.holds_in(policy, project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Policy::{Admin, NodesGet, WorkloadsCreate, WorkloadsGet};

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    /// `("", …)` is everywhere.
    fn rights(parts: &[(&str, &[Policy])]) -> Rights {
        let mut rights = Rights::default();
        for (project, policies) in parts {
            let project = (!project.is_empty()).then(|| name(project));
            rights.add(Rights::of(project, policies.iter().copied().collect()));
        }
        rights
    }

    #[test]
    fn a_policy_is_held_where_it_was_given() {
        let held = rights(&[("", &[WorkloadsGet]), ("a", &[WorkloadsCreate, NodesGet])]);
        assert!(held.holds(WorkloadsCreate) && held.holds_in(WorkloadsCreate, &name("a")));
        assert!(!held.holds_in(WorkloadsCreate, &name("b")));
        assert!(held.holds_in(WorkloadsGet, &name("b")));
        assert!(
            !held.holds(NodesGet),
            "a project holds nothing of the fleet"
        );
        assert!(held.knows(&name("b")) && !rights(&[("a", &[Admin])]).knows(&name("b")));
        assert_eq!(held.reach(WorkloadsGet), Reach::Everywhere);
        let only = Reach::Projects(BTreeSet::from([name("a")]));
        assert_eq!(held.reach(WorkloadsCreate), only);
    }

    #[test]
    fn a_token_may_do_what_both_it_and_its_owner_may() {
        let check = |owner: &[(&str, &[Policy])], scope: &[(&str, &[Policy])], expected| {
            let found = rights(owner).within(&rights(scope));
            let decide = [
                found.holds(NodesGet),
                found.holds_in(WorkloadsGet, &name("a")),
                found.holds_in(WorkloadsGet, &name("b")),
                found.holds_in(Admin, &name("a")),
            ];
            assert_eq!(decide, expected, "{owner:?} and {scope:?}");
        };
        let no = [false; 4];
        check(&[("", &[Admin])], &[("", &[Admin])], [true; 4]);
        check(
            &[("", &[Admin])],
            &[("", &[WorkloadsGet])],
            [false, true, true, false],
        );
        check(
            &[("", &[WorkloadsGet])],
            &[("", &[Admin])],
            [false, true, true, false],
        );
        check(
            &[("a", &[WorkloadsGet])],
            &[("", &[Admin])],
            [false, true, false, false],
        );
        check(
            &[("", &[Admin])],
            &[("a", &[Admin])],
            [false, true, false, true],
        );
        check(&[("a", &[Admin])], &[("b", &[Admin])], no);
        check(&[("", &[NodesGet])], &[("a", &[NodesGet])], no);
        check(&[], &[("", &[Admin])], no);
    }

    #[test]
    fn who_lacks_something_is_told_what_and_where() {
        let check = |held: &[(&str, &[Policy])], other: &[(&str, &[Policy])], expected| {
            assert_eq!(rights(held).lacks(&rights(other)), expected);
        };
        let everywhere: &[(&str, &[Policy])] = &[("", &[WorkloadsGet])];
        check(&[("", &[Admin])], &[("", &[Admin]), ("a", &[Admin])], None);
        check(everywhere, &[("a", &[WorkloadsGet])], None);
        check(everywhere, &[("", &[Admin])], Some((Admin, None)));
        let a = Some(name("a"));
        check(everywhere, &[("a", &[Admin])], Some((Admin, a)));
        check(&[("a", &[Admin])], everywhere, Some((WorkloadsGet, None)));
        let b = Some(name("b"));
        check(
            &[("a", &[Admin])],
            &[("b", &[NodesGet])],
            Some((NodesGet, b)),
        );
    }
}
