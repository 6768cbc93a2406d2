//! NATS JWTs (protocol A.2): three parts in base64url without padding, signed
//! with the nkey that `iss` names.
//!
//! A token proves who signed it and nothing else: whether that issuer may do
//! what the token says is the reader's question. A token of another kind (a
//! user's, an account's) is never read as a workload's, because those travel
//! in clear on every connect.

mod header;
mod server;

pub use server::{
    AccountClaims, OperatorClaims, Responses, UserClaims, UserPermissions, creds_file,
};

use chrono::{DateTime, Utc};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use nkeys::KeyPair;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha512_256};

use super::go_json;

/// Why a token is no good.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// It has not three parts.
    #[error("expected 3 chunks")]
    Parts,
    /// A part is not base64url without padding.
    #[error("illegal base64 data: {0}")]
    Base64(#[from] data_encoding::DecodeError),
    /// A part is not the JSON it should be.
    #[error("{0}")]
    Json(#[from] go_json::DecodeError),
    /// The header does not say `jwt`.
    #[error("not supported type '{0}'")]
    Type(String),
    /// The header names another algorithm.
    #[error("unexpected '{0}' algorithm")]
    Algorithm(String),
    /// `iss` is not a public key.
    #[error("claim issuer is not a public key")]
    Issuer,
    /// The signature is not by `iss` over these claims.
    #[error("claim failed signature verification")]
    Signature,
    /// It is a token for something else.
    #[error("it is a token of type '{0}'")]
    Kind(String),
    /// It is no longer valid.
    #[error("claim is expired")]
    Expired,
    /// It is not valid yet.
    #[error("claim is not yet valid")]
    NotYetValid,
    /// The key cannot sign.
    #[error("cannot sign: {0}")]
    Sign(#[from] nkeys::error::Error),
}

/// The claims of a generic token, in the order they are written. Times are
/// Unix seconds; zero and empty mean that a claim is not made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// For whom.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub aud: String,
    /// Until when.
    #[serde(skip_serializing_if = "is_zero")]
    pub exp: i64,
    /// Its own id; made when signed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jti: String,
    /// When it was signed.
    #[serde(skip_serializing_if = "is_zero")]
    pub iat: i64,
    /// By whom: a public key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub iss: String,
    /// A name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// From when.
    #[serde(skip_serializing_if = "is_zero")]
    pub nbf: i64,
    /// About what: a workload's name, or a public key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sub: String,
    /// What is said of it. A workload's has `hash` and `version`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub nats: Map<String, Value>,
    /// The kind of token, where version 1 keeps it.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Claims {
    /// Claims about a workload: to deploy it with a hash, to stop it without.
    pub fn workload(name: &str, hash: Option<&str>) -> Self {
        let mut nats = Map::new();
        if let Some(hash) = hash {
            nats.insert("hash".to_owned(), hash.into());
        }
        Self {
            sub: name.to_owned(),
            nats,
            ..Self::default()
        }
    }

    /// The SHA-256 claimed for the artifact, in lower-case hex. Anything else
    /// under `hash`, such as the fixed text that the original's command line
    /// sends, claims nothing.
    pub fn artifact_hash(&self) -> Option<String> {
        let hash = self.nats.get("hash")?.as_str()?.to_ascii_lowercase();
        let is_digest = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then_some(hash)
    }

    /// The token: these claims as of `now`, signed by `issuer`.
    pub fn sign(mut self, issuer: &KeyPair, now: DateTime<Utc>) -> Result<String, JwtError> {
        self.iss = issuer.public_key();
        self.iat = now.timestamp();
        self.jti = self.id();
        self.nats.insert("version".to_owned(), 2.into());
        let claims = go_json::to_vec(&self).unwrap_or_default();
        let body = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(header::V2.as_bytes()),
            BASE64URL_NOPAD.encode(&claims)
        );
        let signature = issuer.sign(body.as_bytes())?;
        Ok(format!("{body}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    /// The claims of a token about a workload, if its signature is that of
    /// its issuer. Times are not looked at; see [`Self::valid_at`].
    pub fn decode(token: &str) -> Result<Self, JwtError> {
        let claims = Self::decode_any(token)?;
        match claims.token_kind() {
            "" | "generic" => Ok(claims),
            kind => Err(JwtError::Kind(kind.to_owned())),
        }
    }

    /// The claims of a token of any kind.
    pub(crate) fn decode_any(token: &str) -> Result<Self, JwtError> {
        let parts: Vec<&str> = token.split('.').collect();
        let [head, body, signature] = parts.as_slice() else {
            return Err(JwtError::Parts);
        };
        let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes());
        let version = header::Version::read(&decoded(head)?)?;
        let claims: Self = go_json::from_slice(&decoded(body)?)?;
        let issuer = KeyPair::from_public_key(&claims.iss).map_err(|_| JwtError::Issuer)?;
        let signed = match version {
            header::Version::One => body.as_bytes(),
            header::Version::Two => &token.as_bytes()[..head.len() + 1 + body.len()],
        };
        issuer
            .verify(signed, &decoded(signature)?)
            .map_err(|_| JwtError::Signature)?;
        Ok(claims)
    }

    /// Whether `now` lies between `nbf` and `exp`.
    pub fn valid_at(&self, now: DateTime<Utc>) -> Result<(), JwtError> {
        let now = now.timestamp();
        if self.exp > 0 && now > self.exp {
            Err(JwtError::Expired)
        } else if self.nbf > 0 && now < self.nbf {
            Err(JwtError::NotYetValid)
        } else {
            Ok(())
        }
    }

    fn token_kind(&self) -> &str {
        let inner = self.nats.get("type").and_then(Value::as_str);
        inner.unwrap_or(&self.kind)
    }

    /// The hash of the standard claims, before the token has an id.
    fn id(&self) -> String {
        let standard = Self {
            jti: String::new(),
            nats: Map::new(),
            ..self.clone()
        };
        let claims = go_json::to_vec(&standard).unwrap_or_default();
        BASE32_NOPAD.encode(&Sha512_256::digest(claims))
    }
}
