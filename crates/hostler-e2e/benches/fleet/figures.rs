//! One figure, one line; and what is left of many measurements.

use std::time::Duration;

/// Prints a figure.
pub(crate) fn figure(group: &str, name: &str, (value, unit): (f64, &str), aim: Option<&str>) {
    let line = serde_json::json!({
        "group": group, "name": name, "value": value, "unit": unit, "aim": aim,
    });
    println!("{line}");
}

/// Measured times, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Of these measurements, at least one.
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that this share of them did not exceed, in microseconds.
    pub(crate) fn micros(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // An index.
        let place = (last as f64 * share).round() as usize;
        self.0
            .get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }
}
