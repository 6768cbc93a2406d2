//! `/users` and `/roles`: who people are, and what was given to them. Nobody
//! gives what they lack, nobody changes somebody who may do more than they,
//! and the last who may do everything stays.

mod change;
mod create;
mod roles;
mod show;

pub(crate) use change::*;
pub(crate) use create::*;
pub(crate) use roles::*;
pub(crate) use show::*;

use hostler_core::Name;
use hostler_core::access::{GrantError, Grants, PolicySet, Rights, may_grant, policies_named};
use hostler_core::id::UserId;
use hostler_store::{AccessError, StoreError, UserRow};

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};
use crate::state::App;

/// The policies of these words; what is wrong with them goes to `mistakes`.
pub(crate) fn policies_of(words: &[String], mistakes: &mut Vec<String>) -> PolicySet {
    let mut policies = PolicySet::new();
    for word in words {
        match policies_named(word) {
            Ok(named) => policies.extend(named),
            Err(error) => mistakes.push(format!("policies: {error}")),
        }
    }
    policies
}

fn roles_of(words: &[String], mistakes: &mut Vec<String>) -> Vec<Name> {
    let mut roles = Vec::new();
    for word in words {
        match word.parse::<Name>() {
            Ok(role) if roles.contains(&role) => {}
            Ok(role) => roles.push(role),
            Err(error) => mistakes.push(format!("roles: {error}")),
        }
    }
    roles
}

/// Refuses to give, or to change somebody who has, what the user lacks.
pub(crate) fn may_give(user: &User, rights: &Rights) -> ApiResult<()> {
    may_grant(user.actor(), rights).map_err(|error| match &error {
        GrantError::Lacks(policy) => ApiError::missing_policy(*policy),
        GrantError::OutsideProject(_) => ApiError::new(Code::NotFound, error.to_string()),
        GrantError::NoToken => ApiError::unauthenticated("rights are given by users"),
    })
}

/// What these grants come to.
pub(crate) async fn rights(app: &App, grants: &Grants) -> ApiResult<Rights> {
    let roles = app.store.role_book().await;
    let roles = roles.map_err(|error| failed(&error))?;
    Ok(grants.rights(&roles))
}

/// A user whom the caller may change.
async fn find(app: &App, user: &User, id: UserId) -> ApiResult<UserRow> {
    let row = app
        .store
        .user_get(id)
        .await
        .map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| ApiError::not_found("user", id))?;
    may_give(user, &rights(app, &row.grants).await?)?;
    Ok(row)
}

pub(crate) fn refusal(error: AccessError) -> ApiError {
    let text = error.to_string();
    match error {
        AccessError::LastAdmin => ApiError::new(Code::Conflict, text)
            .hint("make another administrator first: hostler user create NAME --role admin"),
        AccessError::NameTaken { .. } | AccessError::InUse(_) => {
            ApiError::new(Code::Conflict, text)
        }
        AccessError::RoleUnknown(_) => {
            ApiError::new(Code::Invalid, text).hint("GET /roles lists the roles")
        }
        AccessError::ProjectUnknown(_) => ApiError::new(Code::NotFound, text),
        AccessError::Store(error) => failed(&error),
    }
}

fn failed(error: &StoreError) -> ApiError {
    ApiError::internal("looking after users", error)
}
