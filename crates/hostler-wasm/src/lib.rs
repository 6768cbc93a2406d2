//! WebAssembly functions: core modules with WASI preview 1, compiled once and
//! run afresh for every message (protocol 6.9).
//!
//! ```text
//!  Runtime ──compile──▶ Function ──run(Call)──▶ Report { answer, log, took }
//! ```
//!
//! A call sees `argv = ["nexfunction", subject]`, the payload on stdin and the
//! environment it was given; no file, no socket, nothing of an earlier call.
//! It may import `hostler`, through which it asks its host ([`Host`]).
//! What it writes to stdout is the answer, all writes together.
//!
//! A call occupies the thread that polls it while the guest computes, for a
//! tick of the engine's clock at a time. What must never happen: a call
//! outliving its time, growing past its memory, or taking the process with it.

mod capture;
mod error;
mod function;
mod guest;
mod host;
mod runtime;
mod ticker;

pub use error::{CompileError, RunError, RuntimeError};
pub use function::{Call, Function, Limits, Report};
pub use host::{Answering, Ask, Host, HostError};
pub use runtime::{Runtime, RuntimeOptions};
