//! Names people choose, and the labels they select by.
//!
//! A name is part of a NATS subject, a URL and a file name, so it may hold
//! nothing that has a meaning in any of the three.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Keys and values a node carries and a workload selects by.
pub type Labels = BTreeMap<String, String>;

/// A name of 1 to 63 characters: letters, digits, `_` and `-`, beginning and
/// ending with a letter or digit. Also a namespace or project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text that cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a name: 1 to 63 letters, digits, '-' and '_', \
     beginning and ending with a letter or digit"
)]
pub struct NameError(pub String);

impl Name {
    /// The longest name, in characters.
    pub const MAX: usize = 63;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let ends = [text.bytes().next(), text.bytes().last()];
    text.len() <= Name::MAX
        && text.bytes().all(inner)
        && ends
            .iter()
            .all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if is_name(&text) {
            Ok(Self(text))
        } else {
            Err(NameError(text))
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_nothing_with_a_meaning_elsewhere() {
        for good in ["echo", "a", "Echo-2_b", "9lives"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "a/b",
            "a.b",
            "-a",
            "a-",
            "a b",
            "*",
            ">",
            "é",
            "..",
            long.as_str(),
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
