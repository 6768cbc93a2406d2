//! A user: who a session or an API token proves its bearer to be, what the
//! route demanded of them, and where they have that.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use hostler_core::access::{self, Actor, ActorKind, Decision, Policy, Reach, Rights};
use hostler_core::id::{SessionId, TokenId, UserId};
use hostler_core::{Name, Timestamp};
use hostler_store::{By, TokenRow, UserRow};
use hostler_wire::convert::limits::DEFAULT_PROJECT;

use super::{Caller, no_token, unknown_token};
use crate::http::error::{ApiError, ApiResult, Code};

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// The id of the token, or of the session, that proved it.
    pub(crate) token: TokenId,
    /// The session that proved it, if it was one.
    pub(crate) session: Option<SessionId>,
    /// Whom it proved, if it was not a program's own token.
    pub(crate) id: Option<UserId>,
    pub(crate) expires_at: Option<Timestamp>,
    actor: Actor,
    rights: Rights,
    /// What the route demanded; nothing where any user may call.
    demanded: Option<Policy>,
    origin: String,
}

impl User {
    /// The bearer of a token, with these rights.
    pub(super) fn of_token(row: &TokenRow, name: String, rights: Rights) -> Self {
        let (id, expires_at) = (row.owner, row.expires_at);
        Self::new((row.id, None, id), expires_at, name, rights)
    }

    /// Whose session it is, until it ends.
    pub(super) fn of_session(
        session: SessionId,
        end: Timestamp,
        user: &UserRow,
        rights: Rights,
    ) -> Self {
        let proof = TokenId::from_uuid(session.uuid());
        let ids = (proof, Some(session), Some(user.id));
        Self::new(ids, Some(end), user.name.to_string(), rights)
    }

    fn new(
        (token, session, id): (TokenId, Option<SessionId>, Option<UserId>),
        expires_at: Option<Timestamp>,
        name: String,
        rights: Rights,
    ) -> Self {
        let kind = ActorKind::Bearer(rights.clone());
        Self {
            token,
            session,
            id,
            expires_at,
            actor: Actor { name, kind },
            rights,
            demanded: None,
            origin: String::new(),
        }
    }

    /// As whoever calls from this address.
    pub(super) fn calling_from(mut self, origin: String) -> Self {
        self.origin = origin;
        self
    }

    /// What decisions about access are made of.
    pub(crate) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What they may do.
    pub(crate) const fn rights(&self) -> &Rights {
        &self.rights
    }

    /// As the author of a change.
    pub(crate) fn by(&self, now: Timestamp) -> By<'_> {
        By::new(&self.actor.name, now).asked_from(&self.origin)
    }

    /// Whose idempotency keys these are: a user's stay theirs when they sign
    /// in again.
    pub(crate) fn key_owner(&self) -> String {
        self.id
            .map_or_else(|| self.token.to_string(), |id| id.to_string())
    }

    /// Where they may do what the route demanded.
    pub(crate) fn reach(&self) -> Reach {
        match self.demanded {
            Some(policy) => self.rights.reach(policy),
            None => Reach::Projects(self.rights.projects.keys().cloned().collect()),
        }
    }

    /// The one project in which they may do what the route demanded, if there
    /// is only one.
    pub(crate) fn project(&self) -> Option<Name> {
        match self.reach() {
            Reach::Projects(projects) if projects.len() == 1 => projects.into_iter().next(),
            Reach::Everywhere | Reach::Projects(_) => None,
        }
    }

    /// Whether what the route demanded may be done in this project; if not,
    /// its things do not exist for this user.
    pub(crate) fn sees(&self, project: &Name) -> bool {
        match self.reach() {
            Reach::Everywhere => true,
            Reach::Projects(projects) => projects.contains(project),
        }
    }

    /// Whether this thing of a project may be dealt with as the route demanded.
    /// Who knows the project is told what is missing there; to others there is
    /// no such thing.
    pub(crate) fn reaches(
        &self,
        project: &Name,
        kind: &str,
        id: impl std::fmt::Display,
    ) -> ApiResult<()> {
        match self.demanded.filter(|_| !self.sees(project)) {
            None => Ok(()),
            Some(policy) if self.rights.knows(project) => Err(ApiError::missing_policy(policy)),
            Some(_) => Err(ApiError::not_found(kind, id)),
        }
    }

    pub(super) fn may(mut self, policy: Policy) -> Result<Self, (Box<Self>, ApiError)> {
        let refusal = match access::decide(&self.actor, &access::Demand::Fleet(policy)) {
            Decision::Allow => {
                self.demanded = Some(policy);
                return Ok(self);
            }
            Decision::Missing(policy) => ApiError::missing_policy(policy),
            Decision::Unauthenticated => unknown_token(),
            Decision::OtherProject => ApiError::not_found("project", "of that name"),
        };
        Err((Box::new(self), refusal))
    }

    /// The project to act in: the one asked for, else the user's only one, else
    /// `default`. Another's does not exist.
    pub(crate) fn project_for(&self, asked: Option<Name>) -> ApiResult<Name> {
        let chosen = match asked.or_else(|| self.project()) {
            Some(project) => project,
            None => default_project()?,
        };
        self.reaches(&chosen, "project", &chosen)?;
        Ok(chosen)
    }

    /// What a list is narrowed to: the project asked for, else the user's only
    /// one, else nothing. Another's does not exist. Who is in several projects
    /// has to say which; [`Self::reach`] is for lists that show all of them.
    pub(crate) fn narrow(&self, asked: Option<Name>) -> ApiResult<Option<Name>> {
        match (asked, self.reach()) {
            (Some(project), _) => self.project_for(Some(project)).map(Some),
            (None, Reach::Everywhere) => Ok(None),
            (None, Reach::Projects(projects)) if projects.len() == 1 => {
                Ok(projects.into_iter().next())
            }
            (None, Reach::Projects(_)) => {
                let text = "you are a member of several projects: say which is meant";
                Err(ApiError::new(Code::BadRequest, text).hint("add ?project=NAME"))
            }
        }
    }

    /// What a list of several projects is narrowed to; `None`: to nothing.
    pub(crate) fn narrow_all(&self, asked: Option<Name>) -> ApiResult<Option<Vec<Name>>> {
        match (asked, self.reach()) {
            (Some(project), _) => Ok(Some(vec![self.project_for(Some(project))?])),
            (None, Reach::Everywhere) => Ok(None),
            (None, Reach::Projects(projects)) => Ok(Some(projects.into_iter().collect())),
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
