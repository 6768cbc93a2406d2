//! Who asks, and whether they may: tokens of users, and RBAC over the roles
//! and bindings in the store.

mod rbac;
mod seed;
mod users;

pub(crate) use rbac::{Asked, allowed, denied};
pub(crate) use seed::seed;
pub(crate) use users::{User, Users};
