//! The first part of a token, which says what the signature covers.

use serde::Deserialize;

use super::JwtError;
use crate::nats::go_json;

/// The header that is written.
pub(super) const V2: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// What a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The claims.
    One,
    /// The header and the claims.
    Two,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    typ: String,
    alg: String,
}

impl Version {
    /// The version that a decoded header asks for.
    pub(super) fn read(header: &[u8]) -> Result<Self, JwtError> {
        let header: Header = go_json::from_slice(header)?;
        if !header.typ.eq_ignore_ascii_case("jwt") {
            return Err(JwtError::Type(header.typ));
        }
        match header.alg.as_str() {
            "ed25519" => Ok(Self::One),
            "ed25519-nkey" => Ok(Self::Two),
            _ => Err(JwtError::Algorithm(header.alg)),
        }
    }
}
