//! API tokens and the policies they carry.

use chrono::{DateTime, Utc};
use hostler_core::id::{TokenId, UserId};
use serde::{Deserialize, Serialize};

/// A policy that routes may demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyInfo {
    /// Its word, such as `workloads:create`.
    pub policy: String,
    /// What it allows.
    pub description: String,
}

/// `POST /tokens`. Nobody can grant a policy they lack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreate {
    /// What it is called in the activity history.
    pub name: String,
    /// The one project it acts in; absent: the whole fleet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What it may do.
    pub policies: Vec<String>,
    /// Seconds until it expires; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: TokenId,
    /// What it is called.
    pub name: String,
    /// The one project it acts in.
    pub project: Option<String>,
    /// What it may do.
    pub policies: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// The user it acts for, and never does more than; absent: a program's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub owner: Option<UserId>,
}

/// The answer to making a token; the only time the secret is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// The token, without its secret.
    #[serde(flatten)]
    pub token: Token,
    /// The bearer secret.
    pub secret: String,
}
