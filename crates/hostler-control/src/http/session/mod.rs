//! `/auth`: signing in and out, and what everybody may do with themselves. No
//! answer tells whether a name exists, and none holds a password.

mod begin;
mod login;
mod me;
mod oidc;
mod password;

pub(crate) use begin::begin;
pub(crate) use login::*;
pub(crate) use me::*;
pub(crate) use oidc::*;
pub(crate) use password::*;

use hostler_core::id::UserId;

use super::auth::User;
use super::error::{ApiError, ApiResult, Code};

/// The user behind a session or token; a program's own token has none.
fn person(user: &User) -> ApiResult<UserId> {
    user.id.ok_or_else(|| {
        let text = "this is a token of its own, and no user's";
        ApiError::new(Code::Conflict, text).hint("sign in as a user: POST /auth/login")
    })
}
