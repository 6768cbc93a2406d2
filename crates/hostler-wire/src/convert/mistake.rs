//! What is wrong with a request, all of it, in words that help.

use std::fmt;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where: the field's name, with its place in a list or map.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do instead.
    pub hint: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

/// Every mistake of a request; never none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.texts().join("; "))]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// One text for each, field first.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// What to do about them, in one text.
    pub fn hint(&self) -> String {
        let hint = |mistake: &Mistake| format!("{}: {}", mistake.field, mistake.hint);
        self.0.iter().map(hint).collect::<Vec<_>>().join("; ")
    }
}

/// Collects mistakes while a request is looked through.
#[derive(Debug, Default)]
pub(super) struct Collector(Vec<Mistake>);

impl Collector {
    /// Notes a mistake unless `good`.
    pub(super) fn demand(&mut self, good: bool, field: &str, problem: &str, hint: &str) {
        if !good {
            self.0.push(Mistake {
                field: field.to_owned(),
                problem: problem.to_owned(),
                hint: hint.to_owned(),
            });
        }
    }

    /// The value, or its error noted as a mistake.
    pub(super) fn note<T, E: fmt::Display>(
        &mut self,
        result: Result<T, E>,
        field: &str,
        hint: &str,
    ) -> Option<T> {
        let problem = match result {
            Ok(value) => return Some(value),
            Err(problem) => problem.to_string(),
        };
        self.demand(false, field, &problem, hint);
        None
    }

    /// What was made, or all mistakes; nothing was made only after one.
    pub(super) fn finish<T>(self, made: Option<T>) -> Result<T, Mistakes> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            _ => Err(Mistakes(self.0)),
        }
    }
}
