//! May this actor do that?

use super::{Actor, ActorKind, Policy, Rights};
use crate::Name;
use crate::id::NodeId;

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand<'a> {
    /// The policy, anywhere: fleet-wide things, and lists that show each
    /// caller its own part.
    Fleet(Policy),
    /// The policy, within this project.
    Project(Policy, &'a Name),
    /// The key of this very node.
    NodeOnly(NodeId),
    /// The policy within this project, or the key of any node: nodes fetch
    /// the artifacts they were ordered to run.
    ProjectOrNode(Policy, &'a Name),
}

/// What comes of a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Nothing valid was shown, or a token where only a node's key will do (401).
    Unauthenticated,
    /// The policy that is missing (403).
    Missing(Policy),
    /// It is another project's, or another node's affair; to the caller it
    /// does not exist (404).
    OtherProject,
}

/// The decision on a demand. What may be done nowhere is named before projects
/// are compared, so an answer never depends on whether another project has
/// such a thing unless the caller could see it in its own. Within a project
/// that the caller knows, it is told what is missing there.
pub fn decide(actor: &Actor, demand: &Demand<'_>) -> Decision {
    match (&actor.kind, demand) {
        (ActorKind::Anonymous, _) | (ActorKind::Bearer(_), Demand::NodeOnly(_)) => {
            Decision::Unauthenticated
        }
        (ActorKind::Node(_), Demand::ProjectOrNode(..)) => Decision::Allow,
        (ActorKind::Node(node), Demand::NodeOnly(asked)) if node == asked => Decision::Allow,
        (ActorKind::Node(_), Demand::NodeOnly(_)) => Decision::OtherProject,
        (ActorKind::Node(_), Demand::Fleet(policy) | Demand::Project(policy, _)) => {
            Decision::Missing(*policy)
        }
        (ActorKind::Bearer(rights), Demand::Fleet(policy)) => fleet(rights, *policy),
        (
            ActorKind::Bearer(rights),
            Demand::Project(policy, asked) | Demand::ProjectOrNode(policy, asked),
        ) => within(rights, *policy, asked),
    }
}

fn fleet(rights: &Rights, policy: Policy) -> Decision {
    if rights.holds(policy) {
        Decision::Allow
    } else {
        Decision::Missing(policy)
    }
}

fn within(rights: &Rights, policy: Policy, asked: &Name) -> Decision {
    if rights.holds_in(policy, asked) {
        Decision::Allow
    } else if rights.holds(policy) && !rights.knows(asked) {
        Decision::OtherProject
    } else {
        Decision::Missing(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn token(project: Option<&str>, policies: &[Policy]) -> Actor {
        bearer(Rights::of(
            project.map(name),
            policies.iter().copied().collect(),
        ))
    }

    fn bearer(rights: Rights) -> Actor {
        Actor {
            name: "t".to_owned(),
            kind: ActorKind::Bearer(rights),
        }
    }

    fn node(number: u64) -> NodeId {
        NodeId::from_parts(number, [0; 10])
    }

    fn node_actor(number: u64) -> Actor {
        Actor {
            name: "n".to_owned(),
            kind: ActorKind::Node(node(number)),
        }
    }

    /// The decisions on six demands, in the order of the tables below: see
    /// nodes, list workloads, see one's own, see another's, fetch an artifact
    /// as a node does, heartbeat as node 1.
    #[track_caller]
    fn check(actor: &Actor, expected: [Decision; 6]) {
        let (mine, theirs) = (name("mine"), name("theirs"));
        let demands = [
            Demand::Fleet(Policy::NodesGet),
            Demand::Fleet(Policy::WorkloadsGet),
            Demand::Project(Policy::WorkloadsGet, &mine),
            Demand::Project(Policy::WorkloadsGet, &theirs),
            Demand::ProjectOrNode(Policy::ArtifactsGet, &mine),
            Demand::NodeOnly(node(1)),
        ];
        let decisions = demands.map(|demand| decide(actor, &demand));
        assert_eq!(decisions, expected, "{actor:?}");
    }

    const YES: Decision = Decision::Allow;
    const WHO: Decision = Decision::Unauthenticated;
    const NOT_HERE: Decision = Decision::OtherProject;
    const NODES: Decision = Decision::Missing(Policy::NodesGet);
    const WORK: Decision = Decision::Missing(Policy::WorkloadsGet);
    const FILES: Decision = Decision::Missing(Policy::ArtifactsGet);
    const ALL: [Policy; 3] = [Policy::NodesGet, Policy::WorkloadsGet, Policy::ArtifactsGet];

    #[test]
    fn a_stranger_may_do_nothing() {
        check(&Actor::anonymous(), [WHO; 6]);
    }

    #[test]
    fn a_token_may_do_what_its_policies_say() {
        let nothing = [NODES, WORK, WORK, WORK, FILES, WHO];
        check(&token(None, &[]), nothing);
        check(&token(None, &ALL), [YES, YES, YES, YES, YES, WHO]);
        check(
            &token(None, &[Policy::Admin]),
            [YES, YES, YES, YES, YES, WHO],
        );
    }

    #[test]
    fn a_project_token_finds_nothing_elsewhere_and_nothing_of_the_fleet() {
        let nothing = [NODES, WORK, WORK, WORK, FILES, WHO];
        let within = [NODES, YES, YES, NOT_HERE, YES, WHO];
        check(&token(Some("mine"), &[]), nothing);
        check(&token(Some("mine"), &ALL), within);
        check(&token(Some("mine"), &[Policy::Admin]), within);
    }

    #[test]
    fn a_member_of_several_projects_may_do_in_each_what_its_role_there_says() {
        let mut rights = Rights::of(Some(name("mine")), ALL.into());
        check(
            &bearer(rights.clone()),
            [NODES, YES, YES, NOT_HERE, YES, WHO],
        );
        let there = [Policy::ArtifactsGet].into();
        rights.add(Rights::of(Some(name("theirs")), there));
        check(&bearer(rights.clone()), [NODES, YES, YES, WORK, YES, WHO]);
        rights.add(Rights::of(None, [Policy::NodesGet].into()));
        check(&bearer(rights), [YES, YES, YES, WORK, YES, WHO]);
    }

    #[test]
    fn a_node_may_do_its_own_things_only() {
        check(&node_actor(1), [NODES, WORK, WORK, WORK, YES, YES]);
        check(&node_actor(2), [NODES, WORK, WORK, WORK, YES, NOT_HERE]);
    }

    #[test]
    fn one_policy_never_opens_what_another_guards() {
        let project = name("mine");
        for held in Policy::all().iter().filter(|held| **held != Policy::Admin) {
            let actor = token(None, &[*held]);
            for asked in Policy::all() {
                let expected = if held == asked {
                    Decision::Allow
                } else {
                    Decision::Missing(*asked)
                };
                assert_eq!(decide(&actor, &Demand::Fleet(*asked)), expected);
                assert_eq!(decide(&actor, &Demand::Project(*asked, &project)), expected);
            }
        }
    }
}
