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

use rustix::process::{Resource, Rlimit, setrlimit};
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
    /// The largest file it may write; it is killed when it writes on.
    pub(crate) largest_file: Option<u64>,
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
    prepare(&mut command, program.largest_file);
    command.spawn()
}

/// Makes the program the leader of a new session, and limits its files.
#[allow(
    unsafe_code,
    reason = "the standard library starts sessions on nightly only, and setsid(1) would hide from us which program could not be started"
)]
fn prepare(command: &mut Command, largest_file: Option<u64>) {
    let prepared = move || {
        rustix::process::setsid()?;
        if largest_file.is_some() {
            let limit = Rlimit {
                current: largest_file,
                maximum: largest_file,
            };
            setrlimit(Resource::Fsize, limit)?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed.
    // setsid(2) and setrlimit(2) are; turning their error numbers into an
    // `io::Error` allocates nothing.
    unsafe {
        command.pre_exec(prepared);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[tokio::test]
    async fn who_writes_on_beyond_the_largest_file_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let write = |largest_file| {
            spawn_detached(Program {
                file: Path::new("/bin/sh"),
                arguments: vec!["-c".into(), "exec head -c 9000 /dev/zero >f".into()],
                environment: vec![("PATH", "/usr/bin:/bin".into())],
                folder: folder.path(),
                complaints: &folder.path().join("complaints"),
                largest_file,
            })
        };
        let size = || std::fs::metadata(folder.path().join("f")).unwrap().len();
        let whole = write(None).unwrap().wait().await.unwrap();
        assert_eq!((whole.signal(), size()), (None, 9_000));
        let cut = write(Some(4_096)).unwrap().wait().await.unwrap();
        let signal = rustix::process::Signal::XFSZ.as_raw();
        assert_eq!((cut.signal(), size()), (Some(signal), 4_096));
    }
}
