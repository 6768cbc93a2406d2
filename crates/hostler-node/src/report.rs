//! An error with all its causes, as one line for a log or a problem text.

use std::error::Error;
use std::fmt;

/// Shows an error followed by its causes, each after a colon.
pub(crate) fn report(error: &dyn Error) -> Report<'_> {
    Report(error)
}

/// See [`report`].
pub(crate) struct Report<'a>(&'a dyn Error);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut said = self.0.to_string();
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Transparent errors repeat the text of what they wrap.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not sail")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("no wind")]
    struct Inner;

    #[test]
    fn causes_follow_after_colons() {
        assert_eq!(report(&Outer(Inner)).to_string(), "could not sail: no wind");
    }
}
