//! What can be wrong with a script, and with a call.

use std::time::Duration;

/// A script that cannot be run (protocol 2.7); the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// It is larger than any script may be.
    #[error("source file ({0} bytes) exceeds maximum of {1} bytes")]
    TooLarge(usize, usize),
    /// It is no text.
    #[error("failed to compile source for execution: it is not UTF-8 text")]
    NotText,
    /// It is no classic script.
    #[error("failed to compile source for execution: {0}")]
    Syntax(String),
    /// It is one, and evaluates to something else than a function, or to nothing.
    #[error("the source does not evaluate to a function: {0}")]
    NotAFunction(RunError),
}

/// A call that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// It threw; the text is what it threw.
    #[error("the function threw {0}")]
    Threw(String),
    /// It ran longer than its limit.
    #[error("the function ran longer than {0:?}")]
    TimedOut(Duration),
    /// It failed when it was refused more memory.
    #[error("the function needed more than {0} bytes of memory")]
    OutOfMemory(usize),
    /// It threw `null`, which the engine does as well when there is no memory
    /// even for an error.
    #[error("the function threw null: it needed more than {0} bytes of memory, or meant to")]
    ThrewNull(usize),
    /// Its answer is longer than an answer may be.
    #[error("the function answered more than {0} bytes")]
    TooMuchOutput(usize),
    /// It returned a promise, and nothing is left that could settle it.
    #[error("the function returned a promise that nothing settles")]
    Unsettled,
    /// The script gave something else than a function.
    #[error("the script evaluates to {0}, not to a function")]
    NotAFunction(&'static str),
    /// The engine could not be made.
    #[error("the function could not be started: {0}")]
    NotStarted(String),
}
