//! JavaScript functions: classic scripts that evaluate to a function, compiled
//! once and run afresh for every message (protocol 6.8).
//!
//! ```text
//!  Script::compile ──▶ Script ──run(Call)──▶ Some(Report { answer, lines, took })
//!                                      └──▶ None: begin it anew with more time
//! ```
//!
//! A call has an engine of its own, which nobody sees before or after it: it
//! runs the script, calls the function with subject and payload, and waits for
//! the promise, should that return one. It has no file, no socket, no timer;
//! what it can do beyond computing, it asks of its [`Host`].
//!
//! A call occupies its thread until it ends, also while its host is asked. One
//! that may not do so is [`Call::brief`]: when it takes longer, or asks its
//! host, it is thrown away, and nobody has seen anything of it.
//!
//! What must never happen: a call outliving its time, growing past its memory,
//! or a value of one call in another. A few built-in functions of the engine
//! cannot be interrupted; for those there is the [`Alarm`].

mod alarm;
mod answer;
mod bytecode;
mod call;
mod console;
mod engine;
mod error;
mod guard;
mod host;
mod memory;
mod script;

pub use alarm::{Alarm, Watch};
pub use call::{Call, Level, Limits, Line, Report};
pub use error::{CompileError, RunError};
pub use host::{Ask, Host, HostError};
pub use script::Script;
