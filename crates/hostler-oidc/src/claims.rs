//! What a verified token says of somebody.

use std::collections::BTreeMap;

use openidconnect::core::CoreGenderClaim;
use openidconnect::{AdditionalClaims, IdTokenClaims};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Claims beyond the standard ones; which one lists groups is configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Extra {
    #[serde(flatten)]
    all: BTreeMap<String, Value>,
}

impl AdditionalClaims for Extra {}

/// Somebody for whom the provider vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Who they are there, for ever.
    pub subject: String,
    /// What they are called, the best first: their name there, their address
    /// if it was verified.
    pub names: Vec<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

impl Proven {
    pub(crate) fn read(claims: &IdTokenClaims<Extra, CoreGenderClaim>, groups: &str) -> Self {
        let called = claims.preferred_username().map(|name| name.to_string());
        let is_verified = claims.email_verified() == Some(true);
        let address = claims.email().filter(|_| is_verified);
        let address = address.map(|address| address.to_string());
        Self {
            subject: claims.subject().to_string(),
            names: called.into_iter().chain(address).collect(),
            groups: listed(claims.additional_claims().all.get(groups)),
        }
    }
}

/// A list of texts, or one text.
fn listed(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => {
            let texts = many.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn groups_are_texts_in_a_list_or_alone() {
        let check = |claim: Value, expected: &[&str]| {
            assert_eq!(listed(Some(&claim)), expected, "{claim}");
        };
        check(json!(["a", "b", 7]), &["a", "b"]);
        check(json!("a"), &["a"]);
        check(json!({"a": true}), &[]);
        assert!(listed(None).is_empty());
    }
}
