//! What `LOG_LEVEL` may say.

/// A text that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("LOG_LEVEL '{0}' is none of debug, info, warn, error; info is used")]
pub struct LevelError(pub String);

/// The filter that a level stands for; `info` for what is none, with a warning.
/// A text with a `=` in it is a filter already.
pub fn log_level(text: &str) -> (String, Option<LevelError>) {
    let word = text.trim().to_ascii_lowercase();
    match word.as_str() {
        "" => ("info".to_owned(), None),
        "warning" => ("warn".to_owned(), None),
        "trace" | "debug" | "info" | "warn" | "error" | "off" => (word, None),
        _ if word.contains('=') => (text.to_owned(), None),
        _ => ("info".to_owned(), Some(LevelError(text.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_warns_and_is_info() {
        let check = |text: &str, level: &str, warns: bool| {
            let (filter, warning) = log_level(text);
            assert_eq!(
                (filter.as_str(), warning.is_some()),
                (level, warns),
                "{text}"
            );
        };
        check("debug", "debug", false);
        check("WARN", "warn", false);
        check("", "info", false);
        check("loud", "info", true);
        check(
            "warn,hostler_runners=debug",
            "warn,hostler_runners=debug",
            false,
        );
    }
}
