//! Log entries as they travel on `$NEX.logs` (protocol 4.4): what one write of
//! a workload held, not cut into lines.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::go_json::Message;

/// The payload of a log message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogPayload {
    /// What was written; a newline at its end is kept.
    pub text: String,
    /// How bad it is.
    pub level: LogLevel,
    /// The workload's id.
    pub id: String,
}

impl Message for LogPayload {}

/// A level on the scale of Go's slog: `INFO` is 0, `WARN` 4, `ERROR` 8 and
/// `DEBUG` -4; what lies between is written with an offset, such as `INFO+2`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct LogLevel(i32);

/// A text that is no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a log level such as INFO or WARN+1")]
pub struct LogLevelError(String);

const NAMED: [(&str, i32); 4] = [("DEBUG", -4), ("INFO", 0), ("WARN", 4), ("ERROR", 8)];

impl LogLevel {
    /// Below `DEBUG`.
    pub const TRACE: Self = Self(-8);
    /// Particulars.
    pub const DEBUG: Self = Self(-4);
    /// Routine.
    pub const INFO: Self = Self(0);
    /// Something is wrong.
    pub const WARN: Self = Self(4);
    /// Something failed.
    pub const ERROR: Self = Self(8);

    /// The nearest named level below or at this one: `DEBUG`, `INFO`, `WARN`
    /// or `ERROR`, for those who know only these.
    pub fn name(self) -> &'static str {
        let below = NAMED.iter().rev().find(|(_, number)| *number <= self.0);
        below.map_or("DEBUG", |(name, _)| name)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        let base = NAMED.iter().find(|(named, _)| *named == name);
        match self.0 - base.map_or(0, |(_, number)| *number) {
            0 => f.write_str(name),
            offset => write!(f, "{name}{offset:+}"),
        }
    }
}

impl FromStr for LogLevel {
    type Err = LogLevelError;

    fn from_str(text: &str) -> Result<Self, LogLevelError> {
        let error = || LogLevelError(text.to_owned());
        let (name, offset) = match text.find(['+', '-']) {
            Some(at) => (&text[..at], text[at..].parse().map_err(|_| error())?),
            None => (text, 0_i32),
        };
        let named = NAMED
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, base) = named.ok_or_else(error)?;
        base.checked_add(offset).map(Self).ok_or_else(error)
    }
}

impl TryFrom<String> for LogLevel {
    type Error = LogLevelError;

    /// An empty text is `INFO`: the level of an entry that names none.
    fn try_from(text: String) -> Result<Self, LogLevelError> {
        if text.is_empty() {
            return Ok(Self::INFO);
        }
        text.parse()
    }
}

impl From<LogLevel> for String {
    fn from(level: LogLevel) -> Self {
        level.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_and_written_in_slog_notation() {
        let check = |text: &str, level: LogLevel, written: &str| {
            assert_eq!(text.parse(), Ok(level), "{text}");
            assert_eq!(level.to_string(), written);
        };
        check("DEBUG", LogLevel::DEBUG, "DEBUG");
        check("debug", LogLevel::DEBUG, "DEBUG");
        check("INFO+2", LogLevel(2), "INFO+2");
        check("WARN+1", LogLevel(5), "WARN+1");
        check("ERROR-1", LogLevel(7), "WARN+3");
        check("ERROR+3", LogLevel(11), "ERROR+3");
        check("DEBUG-4", LogLevel::TRACE, "DEBUG-4");
        for bad in [
            "",
            "TRACE",
            "4",
            "INFO+",
            "INFO+x",
            "INFO+99999999999",
            "+1",
            "INFO 1",
        ] {
            assert!(bad.parse::<LogLevel>().is_err(), "{bad}");
        }
        assert_eq!("WARN+3".parse::<LogLevel>().map(LogLevel::name), Ok("WARN"));
        assert_eq!(LogLevel::TRACE.name(), "DEBUG");
    }
}
