//! Moments: whole milliseconds in core, dates on the wire.

use chrono::{DateTime, Utc};
use hostler_core::Timestamp;

/// The moment of a date, cut to whole milliseconds.
pub fn timestamp(date: DateTime<Utc>) -> Timestamp {
    Timestamp::from_ms(date.timestamp_millis())
}

/// The date of a moment; what no calendar holds is its first or last day.
pub fn datetime(moment: Timestamp) -> DateTime<Utc> {
    let bound = if moment.ms() < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    DateTime::from_timestamp_millis(moment.ms()).unwrap_or(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_the_way_there_and_back() {
        for ms in [0, 1, -1, 1_714_164_361_123, -62_135_596_800_000] {
            let moment = Timestamp::from_ms(ms);
            assert_eq!(timestamp(datetime(moment)), moment);
        }
        assert_eq!(datetime(Timestamp::NEVER), DateTime::<Utc>::MAX_UTC);
        assert_eq!(
            datetime(Timestamp::from_ms(i64::MIN)),
            DateTime::<Utc>::MIN_UTC
        );
    }
}
