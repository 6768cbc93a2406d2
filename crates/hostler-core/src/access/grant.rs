//! Making a token: nobody grants what they lack.

use super::{Actor, ActorKind, Policy, PolicySet};
use crate::Name;

/// Why a token may not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The maker lacks a policy, and so cannot pass it on.
    #[error("the policy '{0}' can be granted only by who has it")]
    Lacks(Policy),
    /// The maker acts in one project, and the token would act outside it.
    #[error("a token of the project '{0}' makes tokens for that project only")]
    OutsideProject(Name),
    /// The maker holds no token.
    #[error("tokens are made by holders of tokens")]
    NoToken,
}

/// Whether `actor` may make a token with `policies` for `project` (`None`: the
/// whole fleet). That it may make tokens at all is demanded before
/// ([`Policy::TokensCreate`]).
pub fn may_grant(
    actor: &Actor,
    policies: &PolicySet,
    project: Option<&Name>,
) -> Result<(), GrantError> {
    let ActorKind::Token {
        project: own,
        policies: held,
    } = &actor.kind
    else {
        return Err(GrantError::NoToken);
    };
    if let Some(own) = own.as_ref().filter(|own| project != Some(own)) {
        return Err(GrantError::OutsideProject(own.clone()));
    }
    let lacked = policies.iter().find(|policy| !policy.is_in(held));
    lacked.map_or(Ok(()), |policy| Err(GrantError::Lacks(*policy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(
        maker: (Option<&str>, &[Policy]),
        made: (Option<&str>, &[Policy]),
        expected: &Result<(), GrantError>,
    ) {
        let actor = Actor {
            name: "t".to_owned(),
            kind: ActorKind::Token {
                project: maker.0.map(name),
                policies: maker.1.iter().copied().collect(),
            },
        };
        let policies = made.1.iter().copied().collect();
        let project = made.0.map(name);
        assert_eq!(&may_grant(&actor, &policies, project.as_ref()), expected);
    }

    #[test]
    fn nobody_grants_what_they_lack() {
        use Policy::{Admin, NodesGet, TokensCreate, WorkloadsGet};
        let maker: (_, &[Policy]) = (None, &[TokensCreate, WorkloadsGet]);
        check(maker, (None, &[WorkloadsGet]), &Ok(()));
        check(maker, (Some("a"), &[WorkloadsGet, TokensCreate]), &Ok(()));
        check(maker, (None, &[]), &Ok(()));
        check(
            maker,
            (None, &[NodesGet]),
            &Err(GrantError::Lacks(NodesGet)),
        );
        check(maker, (Some("a"), &[Admin]), &Err(GrantError::Lacks(Admin)));
        check((None, &[Admin]), (None, &[Admin, NodesGet]), &Ok(()));
    }

    #[test]
    fn a_project_token_makes_tokens_for_its_project_only() {
        use Policy::{Admin, WorkloadsGet};
        let maker: (_, &[Policy]) = (Some("a"), &[Admin]);
        let outside = Err(GrantError::OutsideProject(name("a")));
        check(maker, (Some("a"), &[WorkloadsGet, Admin]), &Ok(()));
        check(maker, (Some("b"), &[WorkloadsGet]), &outside);
        check(maker, (None, &[WorkloadsGet]), &outside);
    }

    #[test]
    fn nodes_and_strangers_make_no_tokens() {
        let refused = may_grant(&Actor::anonymous(), &PolicySet::new(), None);
        assert_eq!(refused, Err(GrantError::NoToken));
    }
}
