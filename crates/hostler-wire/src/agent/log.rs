//! What a workload or its agent writes, on its way to the node.

use serde::{Deserialize, Serialize};

use crate::nats::LogLevel;
use crate::nats::go_json::Message;

/// The source of what the agent itself has to say.
pub const SOURCE_AGENT: &str = "nex-agent";

/// Message on `agentint.{slot}.logs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogEntry {
    /// [`SOURCE_AGENT`] or the workload's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// How bad it is, on the agents' scale.
    #[serde(skip_serializing_if = "AgentLevel::is_zero")]
    pub level: AgentLevel,
    /// What was written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Message for LogEntry {}

/// A level on the scale of agents: smaller is worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentLevel(pub i32);

impl AgentLevel {
    /// Also what an entry without a level has.
    pub const PANIC: Self = Self(0);
    /// The agent gives up.
    pub const FATAL: Self = Self(1);
    /// Errors, and what a workload writes to stderr.
    pub const ERROR: Self = Self(2);
    /// Warnings.
    pub const WARN: Self = Self(3);
    /// Routine, and what a workload writes to stdout.
    pub const INFO: Self = Self(4);
    /// Particulars.
    pub const DEBUG: Self = Self(5);
    /// More particulars.
    pub const TRACE: Self = Self(6);

    // The signature is serde's.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// The level to publish. The original puts the bare number on the other
    /// scale, where it means something else; this is what it stands for. An
    /// entry without a level is routine.
    pub const fn published(self) -> LogLevel {
        match self {
            Self::FATAL | Self::ERROR => LogLevel::ERROR,
            Self::WARN => LogLevel::WARN,
            Self::DEBUG => LogLevel::DEBUG,
            Self(level) if level > 5 => LogLevel::TRACE,
            _ => LogLevel::INFO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_published_as_what_it_stands_for() {
        let check = |level, expected: &str| {
            assert_eq!(
                AgentLevel(level).published().to_string(),
                expected,
                "{level}"
            );
        };
        check(0, "INFO");
        check(1, "ERROR");
        check(2, "ERROR");
        check(3, "WARN");
        check(4, "INFO");
        check(5, "DEBUG");
        check(6, "DEBUG-4");
        check(99, "DEBUG-4");
        check(-1, "INFO");
    }
}
