//! Core values as columns and back: moments, numbers, ids, names, JSON.
//!
//! SQLite keeps moments as text; they sort rightly because every one is
//! written in one form, by one program, in UTC, to the millisecond.

use chrono::{DateTime, Utc};
use hostler_core::{Name, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::StoreError;
use crate::error::corrupt;

/// A moment; the epoch for what no calendar can hold.
pub(crate) fn moment(at: Timestamp) -> DateTime<Utc> {
    bounded(at).unwrap_or_default()
}

/// A moment that may be [`Timestamp::NEVER`], kept as NULL.
pub(crate) fn bounded(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at.ms())
}

/// The moment in a column.
pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_ms(at.timestamp_millis())
}

/// A count as both databases keep it; they know no unsigned numbers.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The count in a column.
pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// A small count in a column.
pub(crate) fn small(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}

/// The name in a column.
pub(crate) fn name(text: String) -> Result<Name, StoreError> {
    Name::try_from(text).map_err(|error| corrupt("name", &error.0))
}

/// A list or map as JSON. Keys are texts, so nothing in it can fail.
pub(crate) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The list or map in a column.
pub(crate) fn from_json<T: DeserializeOwned>(
    what: &'static str,
    value: Value,
) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| corrupt(what, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_null_and_every_other_moment_reads_back() {
        assert_eq!(bounded(Timestamp::NEVER), None);
        for ms in [0, 1, 999, 1_000, 1_763_672_856_123] {
            assert_eq!(timestamp(moment(Timestamp::from_ms(ms))).ms(), ms);
        }
    }
}
