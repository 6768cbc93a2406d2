//! How the program speaks: data to standard output, talk to standard error;
//! tables for people, JSON for programs; readable without colour.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::Result;
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Prints one line of data. A reader who has seen enough is an error, which
/// ends the command well.
pub(crate) fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// What the user wants to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON instead of tables.
    pub json: bool,
    /// No progress and no remarks.
    pub quiet: bool,
}

impl Output {
    /// Prints `value` as JSON, or else the table that `table` makes of it.
    pub(crate) fn show<T: Serialize>(
        self,
        value: &T,
        table: impl FnOnce(&T) -> Table,
    ) -> Result<()> {
        if self.json {
            return say(&serde_json::to_string_pretty(value)?);
        }
        for line in table(value).lines() {
            say(line.trim())?;
        }
        Ok(())
    }

    /// Prints one line of a stream: compact JSON, or the text.
    pub(crate) fn line<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let line = if self.json {
            serde_json::to_string(value)?
        } else {
            text(value)
        };
        say(&line)
    }

    /// Says something that is not data.
    pub(crate) fn remark(self, text: impl std::fmt::Display) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// A sign of life for work that may take over a second; on a terminal it
    /// moves, elsewhere it is one line.
    pub(crate) fn progress(self, text: String) -> Progress {
        let moving = !self.quiet && !self.json && std::io::stderr().is_terminal();
        if !moving {
            if !self.json {
                self.remark(&text);
            }
            return Progress(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(text);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(bar)
    }
}

/// A sign of life; ends when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Says what is waited for now.
    pub(crate) fn say(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A table with these headings, without borders.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    table
}

/// A table of two columns: what, and how it is.
pub(crate) fn facts(rows: &[(&str, String)]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    for (name, value) in rows {
        table.add_row([*name, value]);
    }
    table
}

/// How long ago something was, in one unit that reads well.
pub(crate) fn ago(
    then: chrono::DateTime<chrono::Utc>,
    now: chrono::DateTime<chrono::Utc>,
) -> String {
    let seconds = (now - then).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::*;

    #[test]
    fn ages_are_told_in_one_unit() {
        let now = Utc::now();
        let check = |seconds, expected| {
            assert_eq!(ago(now - TimeDelta::seconds(seconds), now), expected);
        };
        check(0, "0s");
        check(59, "59s");
        check(60, "1m");
        check(7_300, "2h");
        check(200_000, "2d");
        check(-5, "0s");
    }
}
