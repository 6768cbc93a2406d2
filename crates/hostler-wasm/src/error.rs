//! What can go wrong with an engine, a module and a call.

use std::time::Duration;

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The machine lacks something the engine needs, such as address space.
    #[error("failed to set up the WebAssembly engine: {0}")]
    Engine(String),
    /// The clock thread could not be started.
    #[error("failed to start the clock of the WebAssembly engine")]
    Clock(#[source] std::io::Error),
}

/// A module that cannot be run (protocol 2.7); the text says why.
#[derive(Debug, thiserror::Error)]
#[error("failed to compile module: {0}")]
pub struct CompileError(pub(crate) String);

/// A call that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The guest did something that WebAssembly forbids, or gave up.
    #[error("the function trapped: {0}")]
    Trapped(String),
    /// It ran longer than its limit.
    #[error("the function ran longer than {0:?}")]
    TimedOut(Duration),
    /// It failed after it was refused more memory.
    #[error("the function needed more than {0} bytes of memory")]
    OutOfMemory(usize),
    /// It ended with a code that is not zero.
    #[error("the function exited with status {0}")]
    Exited(i32),
    /// It wrote more than an answer may hold.
    #[error("the function wrote more than {0} bytes")]
    TooMuchOutput(usize),
    /// It ended well and wrote nothing, which is no answer (protocol 6.9).
    #[error("the function wrote no output")]
    Empty,
    /// The engine could not make an instance.
    #[error("the function could not be started: {0}")]
    NotStarted(String),
}
