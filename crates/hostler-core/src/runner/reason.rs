//! Why something is as it is: a fixed word for programs, the provider's own
//! text for people, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum ReasonCode {
    /// No machine at hand suits it (the scheduler's last word).
    Unschedulable,
    /// A machine was asked for and is on its way.
    ScaleUpTriggered,
    /// The pool has all the machines it may have.
    MaxNodesReached,
    /// No pool gives machines of this kind.
    NoMatchingPool,
    /// The provider has no such machine left to give.
    NoCapacity,
    /// A quota is used up.
    QuotaExceeded,
    /// The provider refused: a right is missing, or a rule forbids it.
    Denied,
    /// The provider asks to be asked less often.
    Throttled,
    /// The provider could not be reached.
    ProviderUnreachable,
    /// The provider did not understand what it was asked.
    Invalid,
    /// The request was ended by the provider.
    RequestFailed,
    /// There was no machine before the deadline.
    DeadlinePassed,
    /// The machine is there and does not work.
    NodeNotReady,
    /// The machine was lost.
    NodeLost,
    /// The machine will be taken away soon.
    InterruptionNotice,
    /// There is no runner program on the machine.
    ProgramMissing,
    /// The runner program is being started.
    ProgramStarting,
    /// The image of the runner program cannot be had.
    ImagePullFailed,
    /// The runner program ends again and again.
    CrashLoop,
    /// The machine did not register with the fleet.
    NotRegistered,
    /// The request is held up by its own rules (a start-up taint, a cordon).
    Cordoned,
    /// Somebody deleted it.
    #[serde(rename = "deleted")]
    Deleted,
    /// It was removed because it was asked for.
    Removed,
    /// A removal could not be finished.
    RemovalStuck,
}

impl ReasonCode {
    /// Whether the pool cannot give a machine now: another one might.
    pub const fn says_no_capacity(self) -> bool {
        matches!(
            self,
            Self::MaxNodesReached | Self::NoMatchingPool | Self::NoCapacity | Self::QuotaExceeded
        )
    }

    /// What to do about it, where the same advice always holds.
    pub const fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::MaxNodesReached => "raise the maximum of the pool, or remove runners",
            Self::NoMatchingPool => "give machines of a pool the label and taint it selects by",
            Self::NoCapacity => "name further instance types or zones, or a fallback pool",
            Self::QuotaExceeded => "raise the quota, or remove runners",
            Self::Denied => "`hostler runners doctor` names the missing right",
            Self::DeadlinePassed => "see its other reasons; POD_WAIT_TIMEOUT sets the deadline",
            Self::ProgramMissing => "check the selector and the namespace of the runner program",
            Self::ImagePullFailed => "check the image's name and the registry's credentials",
            Self::CrashLoop => "read the log of the runner program",
            Self::NotRegistered => "read the machine's log; its join token may have ended",
            _ => return None,
        })
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted => f.write_str("deleted"),
            other => fmt::Debug::fmt(other, f),
        }
    }
}

/// Why something is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// For programs.
    pub code: ReasonCode,
    /// For people; the provider's own words where it had any.
    pub text: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Reason {
    /// A reason with the advice that goes with its code.
    pub fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            hint: code.advice().map(str::to_owned),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_the_same_on_the_wire_and_to_people() {
        for code in [
            ReasonCode::MaxNodesReached,
            ReasonCode::NodeLost,
            ReasonCode::Deleted,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.to_string());
        }
        assert_eq!(ReasonCode::Deleted.to_string(), "deleted");
    }
}
