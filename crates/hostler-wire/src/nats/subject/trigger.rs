//! Subjects that trigger functions. A node subscribes them with its own
//! rights, so a subject is refused when it could match what is not the
//! tenant's: the server's own traffic, JetStream's, a node's, anybody's inbox.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Patterns that no trigger may overlap.
const DENIED: [&str; 4] = ["$SYS.>", "$JS.>", "$NEX.>", "_INBOX.>"];

/// A subject or pattern that may trigger a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TriggerSubject(String);

/// A text that may not be a trigger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TriggerSubjectError {
    /// It is no subject.
    #[error(
        "'{0}' is not a NATS subject: words joined by dots, without spaces; `*` stands for one \
         whole word, `>` at the end for the rest"
    )]
    Malformed(String),
    /// It overlaps what nobody may listen to.
    #[error("'{subject}' is not allowed as a trigger: it overlaps {denied}")]
    Denied {
        /// The subject.
        subject: String,
        /// What it overlaps.
        denied: &'static str,
    },
}

impl TriggerSubject {
    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TriggerSubject {
    type Error = TriggerSubjectError;

    fn try_from(subject: String) -> Result<Self, TriggerSubjectError> {
        if !is_pattern(&subject) {
            return Err(TriggerSubjectError::Malformed(subject));
        }
        match DENIED.into_iter().find(|denied| overlaps(&subject, denied)) {
            Some(denied) => Err(TriggerSubjectError::Denied { subject, denied }),
            None => Ok(Self(subject)),
        }
    }
}

impl FromStr for TriggerSubject {
    type Err = TriggerSubjectError;

    fn from_str(text: &str) -> Result<Self, TriggerSubjectError> {
        Self::try_from(text.to_owned())
    }
}

impl From<TriggerSubject> for String {
    fn from(subject: TriggerSubject) -> Self {
        subject.0
    }
}

impl fmt::Display for TriggerSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_pattern(text: &str) -> bool {
    let count = text.split('.').count();
    text.len() <= 256
        && text.split('.').enumerate().all(|(at, token)| match token {
            "" => false,
            "*" => true,
            ">" => at + 1 == count,
            word => !word.contains(|letter: char| {
                letter.is_whitespace() || letter.is_control() || matches!(letter, '*' | '>')
            }),
        })
}

/// Whether a subject exists that both patterns match.
pub fn overlaps(one: &str, other: &str) -> bool {
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        match (ones.next(), others.next()) {
            (None, Some(_)) | (Some(_), None) => return false,
            (None, None) | (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(left), Some(right)) => {
                if left != right && left != "*" && right != "*" {
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_when_one_subject_matches_both() {
        let check = |one: &str, other: &str, expected| {
            assert_eq!(overlaps(one, other), expected, "{one} {other}");
            assert_eq!(overlaps(other, one), expected, "{other} {one}");
        };
        check("a.b", "a.b", true);
        check("a.b", "a.c", false);
        check("a.*", "*.b", true);
        check("a.*", "a", false);
        check("a.>", "a", false);
        check("a.>", "a.b.c", true);
        check(">", "$JS.>", true);
        check("*", "$JS.>", false);
        check("*.x", "$JS.>", true);
        check("*.*.x", "a.>", true);
    }

    #[test]
    fn a_trigger_is_a_subject_of_the_tenant() {
        for good in [
            "a", "calc.add", "fn.>", "a.*.c", "*", "$KV.b.>", "a$NEX.b", "_inbox.a", "é.b",
        ] {
            assert!(good.parse::<TriggerSubject>().is_ok(), "{good}");
        }
        let long = "a".repeat(257);
        for bad in [
            "", ".", "a.", ".a", "a..b", "a b", "a\tb", "a.>.b", "a*", "a.b>", "a\r\nPUB", &long,
        ] {
            let error = bad.parse::<TriggerSubject>();
            assert!(
                matches!(error, Err(TriggerSubjectError::Malformed(_))),
                "{bad}"
            );
        }
        for denied in [
            ">",
            "*.x",
            "*.>",
            "$SYS.a",
            "$JS.API.>",
            "$NEX.PING",
            "$NEX.*",
            "_INBOX.a",
        ] {
            let error = denied.parse::<TriggerSubject>();
            assert!(
                matches!(error, Err(TriggerSubjectError::Denied { .. })),
                "{denied}"
            );
        }
    }
}
