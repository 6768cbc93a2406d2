//! Giving rights, and changing who has them: nobody grants what they lack, and
//! nobody changes who may do more than themselves, or a new password would be
//! a way to become them.

use super::{Actor, ActorKind, Policy, Rights};
use crate::Name;

/// Why rights may not be given, or their holder not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The maker lacks a policy, and so cannot pass it on.
    #[error("the policy '{0}' can be granted only by who has it")]
    Lacks(Policy),
    /// The maker may do nothing there.
    #[error("there is no project {0}")]
    OutsideProject(Name),
    /// The maker holds no token.
    #[error("rights are given by holders of tokens")]
    NoToken,
}

/// Whether `actor` may give `rights` to anybody, or change somebody who has
/// them. That it may make tokens or users at all is demanded before.
pub fn may_grant(actor: &Actor, rights: &Rights) -> Result<(), GrantError> {
    let ActorKind::Bearer(held) = &actor.kind else {
        return Err(GrantError::NoToken);
    };
    let mut projects = rights.projects.keys();
    if let Some(unknown) = projects.find(|project| !held.knows(project)) {
        return Err(GrantError::OutsideProject(unknown.clone()));
    }
    held.lacks(rights)
        .map_or(Ok(()), |(policy, _)| Err(GrantError::Lacks(policy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn rights((project, policies): (Option<&str>, &[Policy])) -> Rights {
        Rights::of(project.map(name), policies.iter().copied().collect())
    }

    #[track_caller]
    fn check(
        maker: (Option<&str>, &[Policy]),
        made: (Option<&str>, &[Policy]),
        expected: &Result<(), GrantError>,
    ) {
        let actor = Actor {
            name: "t".to_owned(),
            kind: ActorKind::Bearer(rights(maker)),
        };
        assert_eq!(&may_grant(&actor, &rights(made)), expected);
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
        let outside = Err(GrantError::OutsideProject(name("b")));
        check(maker, (Some("a"), &[WorkloadsGet, Admin]), &Ok(()));
        check(maker, (Some("b"), &[WorkloadsGet]), &outside);
        let wide = Err(GrantError::Lacks(WorkloadsGet));
        check(maker, (None, &[WorkloadsGet]), &wide);
    }

    #[test]
    fn nodes_and_strangers_make_no_tokens() {
        let refused = may_grant(&Actor::anonymous(), &Rights::default());
        assert_eq!(refused, Err(GrantError::NoToken));
    }
}
