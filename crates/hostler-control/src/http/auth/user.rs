//! A user: who an API token proves its bearer to be, and what is asked of one.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use hostler_core::access::{self, Actor, ActorKind, Decision, Policy, PolicySet};
use hostler_core::id::TokenId;
use hostler_core::{Name, Timestamp};
use hostler_store::{By, TokenRow};
use hostler_wire::convert::limits::DEFAULT_PROJECT;

use super::{Caller, no_token, unknown_token};
use crate::http::error::{ApiError, ApiResult};

/// A user, proved by an API token.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) token: TokenId,
    pub(crate) expires_at: Option<Timestamp>,
    actor: Actor,
}

impl From<TokenRow> for User {
    /// A word that this version does not know as a policy allows nothing.
    fn from(row: TokenRow) -> Self {
        let known = |word: &String| word.parse::<Policy>().ok();
        let policies: PolicySet = row.policies.iter().filter_map(known).collect();
        let kind = ActorKind::Token {
            project: row.project,
            policies,
        };
        Self {
            token: row.id,
            expires_at: row.expires_at,
            actor: Actor {
                name: row.name,
                kind,
            },
        }
    }
}

impl User {
    /// What decisions about access are made of.
    pub(crate) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// As the author of a change.
    pub(crate) fn by(&self, now: Timestamp) -> By<'_> {
        By::new(&self.actor.name, now)
    }

    /// The one project this user acts in, if any.
    pub(crate) fn project(&self) -> Option<&Name> {
        self.actor.project()
    }

    /// Whether things of this project exist for this user.
    pub(crate) fn sees(&self, project: &Name) -> bool {
        self.project().is_none_or(|own| own == project)
    }

    pub(super) fn may(&self, policy: Policy) -> ApiResult<()> {
        match access::decide(&self.actor, &access::Demand::Fleet(policy)) {
            Decision::Allow => Ok(()),
            Decision::Missing(policy) => Err(ApiError::missing_policy(policy)),
            Decision::Unauthenticated => Err(unknown_token()),
            Decision::OtherProject => Err(ApiError::not_found("project", "of that name")),
        }
    }

    /// The project to act in: the one asked for, else the user's own, else
    /// `default`. Another's does not exist.
    pub(crate) fn project_for(&self, asked: Option<Name>) -> ApiResult<Name> {
        let chosen = asked.or_else(|| self.project().cloned());
        let chosen = match chosen {
            Some(project) => project,
            None => default_project()?,
        };
        if self.sees(&chosen) {
            Ok(chosen)
        } else {
            Err(ApiError::not_found("project", &chosen))
        }
    }

    /// What a list is narrowed to: the project asked for, else the user's own
    /// one, else nothing. Another's does not exist.
    pub(crate) fn narrow(&self, asked: Option<Name>) -> ApiResult<Option<Name>> {
        match asked {
            Some(project) => self.project_for(Some(project)).map(Some),
            None => Ok(self.project().cloned()),
        }
    }
}

/// The project of those who name none.
fn default_project() -> ApiResult<Name> {
    DEFAULT_PROJECT
        .parse()
        .map_err(|error| ApiError::internal("naming the default project", &error))
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<Caller>() {
            Some(Caller::User(user)) => Ok(user.clone()),
            _ => Err(no_token()),
        }
    }
}
