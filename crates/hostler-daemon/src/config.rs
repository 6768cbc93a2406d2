//! Configuration is checked as a whole before anything is opened: every
//! mistake is listed, and the program ends with status 64 (`EX_USAGE`).

use std::fmt;

/// The exit status of a program that was configured wrongly.
pub const EXIT_USAGE: u8 = 64;

/// All that is wrong with a configuration; an error once it is not empty.
#[derive(Debug, Default, thiserror::Error)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    /// Adds what is wrong with one setting.
    pub fn add(&mut self, setting: &str, problem: impl fmt::Display) {
        self.0.push(format!("{setting}: {problem}"));
    }

    /// The value, or `None` with its mistake written down.
    pub fn take<T, E: fmt::Display>(&mut self, setting: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|problem| self.add(setting, problem)).ok()
    }

    /// `Ok` while nothing is wrong.
    pub fn check(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is wrong")?;
        self.0
            .iter()
            .try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_listed() {
        let mut mistakes = Mistakes::default();
        assert_eq!(mistakes.take("--port", "80".parse::<u16>()), Some(80));
        mistakes.take("--port", "eighty".parse::<u16>());
        mistakes.add("--data", "is a file");
        let text = mistakes.check().expect_err("two mistakes").to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}
