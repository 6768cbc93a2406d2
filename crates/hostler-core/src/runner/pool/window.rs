//! Spans of the week in which a pool is to be of another size, in UTC.
//! Written `mon-fri 08:00-18:00`, `sat,sun 22:00-06:00` (past midnight, it
//! belongs to the day on which it began), `daily 00:00-24:00`.

use std::str::FromStr;

use crate::Timestamp;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: i64 = 24 * 60;

/// A span of the week, and what is different in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which days it begins on, Monday first.
    days: [bool; 7],
    /// Minutes after midnight.
    from: i64,
    /// Minutes after the same midnight; more than a day when it passes one.
    until: i64,
    /// The fewest runners in it.
    pub min: Option<u32>,
    /// The most runners in it.
    pub max: Option<u32>,
    /// The idle runners in it.
    pub warm: Option<u32>,
}

/// A text that is no span of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no span of the week, such as 'mon-fri 08:00-18:00'")]
pub struct WindowError(String);

impl Window {
    /// Whether `now` is in it.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        let minutes = now.ms().div_euclid(60_000);
        // 1 January 1970 was a Thursday.
        let today = minutes.div_euclid(DAY) + 3;
        let minute = minutes.rem_euclid(DAY);
        let began = |days_ago: i64| {
            let day = usize::try_from((today - days_ago).rem_euclid(7)).unwrap_or_default();
            let since = minute + days_ago * DAY;
            self.days[day] && self.from <= since && since < self.until
        };
        began(0) || began(1)
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        parse(text).ok_or_else(|| WindowError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Window> {
    let (days, hours) = text.trim().split_once(' ')?;
    let (from, until) = hours.trim().split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    Some(Window {
        days: week(days)?,
        from,
        until: if until <= from { until + DAY } else { until },
        min: None,
        max: None,
        warm: None,
    })
}

fn week(text: &str) -> Option<[bool; 7]> {
    if text == "daily" {
        return Some([true; 7]);
    }
    let day = |word: &str| DAYS.iter().position(|day| *day == word);
    let mut week = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last + 7 - first) % 7;
        (first..=first + length).for_each(|day| week[day % 7] = true);
    }
    Some(week)
}

fn minute(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let fits = (0..=24).contains(&hours) && (0..60).contains(&minutes);
    let total = hours * 60 + minutes;
    (fits && total <= DAY).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the window holds on these days (0 is Monday, 5 January 1970) at
    /// this hour and minute.
    fn check(window: &str, day: i64, hour: i64, minute: i64, expected: bool) {
        let window: Window = window.parse().unwrap();
        let minutes = (4 + day) * DAY + hour * 60 + minute;
        let holds = window.holds_at(Timestamp::from_ms(minutes * 60_000));
        assert_eq!(
            holds, expected,
            "{window:?} on day {day} at {hour}:{minute}"
        );
    }

    #[test]
    fn a_window_holds_from_its_first_minute_up_to_its_last() {
        check("mon-fri 08:00-18:00", 0, 7, 59, false);
        check("mon-fri 08:00-18:00", 0, 8, 0, true);
        check("mon-fri 08:00-18:00", 4, 17, 59, true);
        check("mon-fri 08:00-18:00", 4, 18, 0, false);
        check("mon-fri 08:00-18:00", 5, 12, 0, false);
        check("daily 00:00-24:00", 6, 23, 59, true);
    }

    #[test]
    fn a_window_past_midnight_belongs_to_the_day_on_which_it_began() {
        check("sun 22:00-06:00", 6, 23, 0, true);
        check("sun 22:00-06:00", 0, 5, 59, true);
        check("sun 22:00-06:00", 0, 6, 0, false);
        check("sun 22:00-06:00", 6, 5, 0, false);
        check("fri-mon 12:00-13:00", 0, 12, 30, true);
        check("fri-mon 12:00-13:00", 1, 12, 30, false);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for bad in [
            "",
            "mon",
            "mon 8",
            "mon 08:00",
            "x 08:00-09:00",
            "mon 25:00-26:00",
            "mon 24:30-01:00",
        ] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }
}
