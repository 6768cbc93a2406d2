//! The moment between agent and program: a fresh process of the agent's own
//! file that confines itself, is told over a socket what to become, and
//! becomes it. That way nothing has to be done between fork and exec, where
//! hardly anything is allowed.
//!
//! The socket is its stdin. It answers with nothing, by the socket closing
//! when the program takes its place, or with the reason why it could not.
//! Its own environment is empty, so nothing in the program's concerns it.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

use super::confine::{ConfineError, confine};
use super::launch::Launch;

/// The first argument that makes the agent's program this process.
pub(crate) const EXEC_CHILD: &str = "exec-child";

/// What the shell returns for what cannot be executed.
const STATUS_NOT_EXECUTED: u8 = 126;

/// Becomes a program; returns only if that fails. `agent` is its parent's pid,
/// in words; its work folder is the one it is in.
pub(crate) fn exec_child(agent: Option<&str>) -> ExitCode {
    // The copy closes when the program starts; stdin itself becomes its own.
    if let Ok(stdin) = std::io::stdin().as_fd().try_clone_to_owned() {
        let mut talk = UnixStream::from(stdin);
        let parent = agent.and_then(|pid| pid.parse().ok()).unwrap_or_default();
        let why = become_program(parent, &mut talk);
        // An agent that is gone needs no answer.
        let _ = talk.write_all(why.as_bytes());
    }
    STATUS_NOT_EXECUTED.into()
}

/// Why it did not.
fn become_program(agent: i32, talk: &mut UnixStream) -> String {
    let confined = std::env::current_dir()
        .map_err(ConfineError::from)
        .and_then(|work| confine(agent, &work));
    if let Err(error) = confined {
        return error.to_string();
    }
    let mut told = Vec::new();
    if let Err(error) = talk.read_to_end(&mut told) {
        return format!("could not read what to start: {error}");
    }
    let launch: Launch = match serde_json::from_slice(&told) {
        Ok(launch) => launch,
        Err(error) => return format!("could not read what to start: {error}"),
    };
    let error = Command::new(&launch.program)
        .arg0(&launch.name)
        .args(&launch.argv)
        .env_clear()
        .envs(&launch.environment)
        .stdin(Stdio::null())
        .exec();
    format!("could not execute it: {error}")
}
