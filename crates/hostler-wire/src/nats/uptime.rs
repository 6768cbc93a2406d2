//! How long something has been up, as text (protocol 1.9).

use std::time::Duration;

/// Whole seconds, largest unit first, smaller units kept: `12s`, `3m12s`,
/// `1h0m5s`, `2d1h0m5s`, `1y3d1h0m5s` with years of 365 days.
pub fn uptime_text(up: Duration) -> String {
    let seconds = up.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let (s, m, h) = (seconds % 60, minutes % 60, hours % 24);
    match (days / 365, days, hours, minutes) {
        (0, 0, 0, 0) => format!("{s}s"),
        (0, 0, 0, _) => format!("{m}m{s}s"),
        (0, 0, _, _) => format!("{h}h{m}m{s}s"),
        (0, _, _, _) => format!("{days}d{h}h{m}m{s}s"),
        (years, _, _, _) => format!("{years}y{}d{h}h{m}m{s}s", days % 365),
    }
}

/// The `runtime` of a function in INFO (protocol 1.5): nanoseconds below a
/// microsecond, whole milliseconds below a second, then [`uptime_text`].
pub fn runtime_text(ran: Duration) -> String {
    if ran < Duration::from_micros(1) {
        format!("{}ns", ran.as_nanos())
    } else if ran < Duration::from_secs(1) {
        format!("{}ms", ran.as_millis())
    } else {
        uptime_text(ran)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_written_largest_unit_first() {
        let check = |seconds, expected: &str| {
            assert_eq!(uptime_text(Duration::from_secs(seconds)), expected);
        };
        check(0, "0s");
        check(12, "12s");
        check(65, "1m5s");
        check(192, "3m12s");
        check(3_605, "1h0m5s");
        check(2 * 86_400 + 3_605, "2d1h0m5s");
        check(368 * 86_400 + 3_605, "1y3d1h0m5s");
        check(365 * 86_400, "1y0d0h0m0s");
    }

    #[test]
    fn runtime_changes_its_unit() {
        let check = |nanos, expected: &str| {
            assert_eq!(runtime_text(Duration::from_nanos(nanos)), expected);
        };
        check(999, "999ns");
        check(1_000, "0ms");
        check(999_999_999, "999ms");
        check(61_000_000_000, "1m1s");
    }
}
