//! Times as RFC 3339 with up to nine digits of a second and none that are
//! zeros at the end, in UTC; for `#[serde(with = ...)]`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serializer};

/// The text of a time.
pub fn text(time: &DateTime<Utc>) -> String {
    let whole = time.format("%Y-%m-%dT%H:%M:%S");
    let nanos = format!("{:09}", time.timestamp_subsec_nanos() % 1_000_000_000);
    match nanos.trim_end_matches('0') {
        "" => format!("{whole}Z"),
        part => format!("{whole}.{part}Z"),
    }
}

/// Writes a time.
pub fn serialize<S: Serializer>(time: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&text(time))
}

/// Reads a time of any zone.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    DateTime::deserialize(from)
}

/// The same for a time that may be missing.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serializer, Utc};

    /// Writes a time, or `null`.
    // The signature is serde's.
    #[allow(clippy::ref_option)]
    pub fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, out),
            None => out.serialize_none(),
        }
    }

    /// Reads a time of any zone, or `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_no_zeros_at_its_end() {
        let check = |time: &str, expected: &str| {
            assert_eq!(text(&time.parse().unwrap()), expected);
        };
        check("2024-04-26T20:46:01Z", "2024-04-26T20:46:01Z");
        check("2024-04-26T20:46:01.100Z", "2024-04-26T20:46:01.1Z");
        check(
            "2024-04-26T22:46:01.000000001+02:00",
            "2024-04-26T20:46:01.000000001Z",
        );
    }
}
