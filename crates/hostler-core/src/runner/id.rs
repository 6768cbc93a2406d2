//! A runner's id: the name that its placeholder pod, instance or process
//! carries with the provider. It becomes part of paths there, so a text that
//! could mean anything else in a path is no id, and is never passed on.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest id, in bytes: that of a DNS subdomain (RFC 1123).
const MAX: usize = 253;

/// The id of a runner: a DNS subdomain of lower-case letters, digits, `-`, `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunnerId(Arc<str>);

/// A text that cannot be the id of a runner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no runner's id: lower-case letters, digits, '-' and '.' only")]
pub struct RunnerIdError;

impl RunnerId {
    /// What the names of all runners begin with that we ask for.
    pub const PREFIX: &'static str = "node-placeholder-";

    /// The id that this UUID gives: the prefix and it are a DNS label, always.
    pub fn of_uuid(uuid: Uuid) -> Self {
        Self(format!("{}{uuid}", Self::PREFIX).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One part between dots: neither empty, nor with a dash on either end.
fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let dashed = label.starts_with('-') || label.ends_with('-');
    !label.is_empty() && label.len() <= 63 && label.bytes().all(inner) && !dashed
}

impl FromStr for RunnerId {
    type Err = RunnerIdError;

    fn from_str(text: &str) -> Result<Self, RunnerIdError> {
        if text.len() <= MAX && text.split('.').all(is_label) {
            Ok(Self(text.into()))
        } else {
            Err(RunnerIdError)
        }
    }
}

impl TryFrom<String> for RunnerId {
    type Error = RunnerIdError;

    fn try_from(text: String) -> Result<Self, RunnerIdError> {
        text.parse()
    }
}

impl From<RunnerId> for String {
    fn from(id: RunnerId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for RunnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RunnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "runner:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_nothing_else_in_a_path() {
        let long = "a".repeat(64);
        for good in ["node-placeholder-abc123", "a", "ip-10-0-0-1.ec2.internal"] {
            assert!(good.parse::<RunnerId>().is_ok(), "{good}");
        }
        for bad in [
            "", "..", "../x", "..%2f", "a/b", "A", "-a", "a-", "a..b", "a b", "a?b", "é", &long,
        ] {
            assert!(bad.parse::<RunnerId>().is_err(), "{bad}");
        }
    }
}
