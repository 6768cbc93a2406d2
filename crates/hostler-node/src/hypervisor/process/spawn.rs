//! Starting programs that outlive us: in a session of their own, with nothing
//! inherited but what is given, and no pipe that breaks when we die.
//!
//! A signal to our process group, the end of our terminal and our own death
//! all leave such a program alone.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

/// A program to start.
pub(crate) struct Program<'a> {
    /// Its file.
    pub(crate) file: &'a Path,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Its whole environment.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Where it runs.
    pub(crate) folder: &'a Path,
    /// The file that takes what it writes to its standard error.
    pub(crate) complaints: &'a Path,
}

/// Starts it. The child is not killed when the handle is dropped; the handle
/// is for reaping only.
pub(crate) fn spawn_detached(program: Program<'_>) -> io::Result<Child> {
    let complaints = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(program.complaints)?;
    let mut command = Command::new(program.file);
    command
        .args(program.arguments)
        .env_clear()
        .envs(program.environment)
        .current_dir(program.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(complaints)
        .kill_on_drop(false);
    own_session(&mut command);
    command.spawn()
}

/// Makes the program the leader of a new session.
#[allow(
    unsafe_code,
    reason = "the standard library starts sessions on nightly only, and setsid(1) would hide from us which program could not be started"
)]
fn own_session(command: &mut Command) {
    // SAFETY: between fork and exec only async-signal-safe calls are allowed.
    // setsid(2) is one; turning its error number into an `io::Error` allocates nothing.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(drop).map_err(io::Error::from));
    }
}
