//! Signing in, users and their roles. No answer holds a password but one that
//! was made for it, once.

use chrono::{DateTime, Utc};
use hostler_core::id::{SessionId, UserId};
use serde::{Deserialize, Serialize};

use super::PolicyInfo;

/// `POST /auth/login`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The user's name.
    pub username: String,
    /// Their password.
    pub password: String,
}

/// A session that began.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoggedIn {
    /// What to send as bearer.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: String,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// `POST /auth/change-password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChange {
    /// The one they have.
    pub current_password: String,
    /// The one they want.
    pub new_password: String,
}

/// Something that was done, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// What.
    pub message: String,
}

/// What a user prefers: `GET` and `PUT /auth/settings`. What is absent stays,
/// `0` and an empty text clear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    /// Processors of a new VM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_vcpus: Option<u32>,
    /// Memory of a new VM, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_mem: Option<u32>,
    /// Disk of a new VM, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_disk_size: Option<u32>,
    /// Image of a new VM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_os: Option<String>,
    /// Keyboard of a new VM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_keyboard_layout: Option<String>,
    /// In which times are shown; `auto` is the browser's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// A role in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    /// The project.
    pub project: String,
    /// The role there.
    pub role: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Their id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    /// Their name.
    pub user: String,
    /// When they were made.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
    /// When they did something last.
    pub last_activity: Option<DateTime<Utc>>,
    /// What was given to them by itself, everywhere.
    pub policies: Vec<PolicyInfo>,
    /// Their roles, everywhere.
    pub roles: Vec<String>,
    /// Their roles in projects.
    pub projects: Vec<Membership>,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// Whether an identity provider vouches for them.
    pub external: bool,
    /// Whether they may do everything.
    pub is_admin: bool,
}

/// `GET /auth/me`: who one is, and what one may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The user's id, or that of a program's own token.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    /// The user's or token's name.
    pub user: String,
    /// When they were made.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: Option<String>,
    /// When they did something last.
    pub last_activity: Option<DateTime<Utc>>,
    /// All that may be done everywhere.
    pub policies: Vec<PolicyInfo>,
    /// Their roles, everywhere.
    pub roles: Vec<String>,
    /// Their roles in projects.
    pub projects: Vec<Membership>,
    /// Whether everything may be done.
    pub is_admin: bool,
    /// Whether it is a session, and not a token.
    pub session: bool,
    /// When what was shown expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// `POST /users`. Nobody gives what they lack.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserCreate {
    /// What they sign in with.
    pub user: String,
    /// Their password; absent: one is made and shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What is given to them by itself.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Their roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// The answer to making a user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserCreated {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// The password that was made; the only time it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_password: Option<String>,
}

/// `PATCH /users/{id}`: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserUpdate {
    /// What they sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What is given to them by itself, all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// Their roles, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Whether they may not sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// `POST /users/{id}/policies`: replaces what is given to them by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserPolicies {
    /// Another name, if they get one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The policies.
    pub policies: Vec<String>,
}

/// `POST /users/{id}/password`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordReset {
    /// The password; absent: one is made and shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// The answer to a new password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordWasReset {
    /// The password that was made; the only time it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_password: Option<String>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it allows.
    pub policies: Vec<String>,
    /// Whether it is part of the program and cannot be changed.
    pub built_in: bool,
}

/// `PUT /roles/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleSet {
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What it allows.
    pub policies: Vec<String>,
}

/// A time that a user signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: SessionId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// When it was used last, give or take a minute.
    pub last_used: DateTime<Utc>,
    /// From where.
    pub origin: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// `POST /auth/oidc/begin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInBegin {
    /// Where the browser goes in the end, with `?code=`: a port of its own
    /// machine, or a page of the control plane.
    pub return_to: String,
    /// SHA-256, in lower-case hex, of a verifier that only the caller knows.
    pub challenge: String,
}

/// Where to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInBegun {
    /// What to open in a browser.
    pub url: String,
}

/// `POST /auth/oidc/redeem`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInRedeem {
    /// What the browser brought.
    pub code: String,
    /// What the caller kept.
    pub verifier: String,
}
