//! `qemu-img` as a child that is limited in time and memory, and told files by
//! JSON, so that no name can be an option or a protocol.
//!
//! What must never happen: a file opened whose format was not said.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use super::machines::MachineError;

/// Bytes of address space of the child: more than it ever needs.
const MEMORY: u64 = 2 << 30;
/// Bytes of its answer that are read.
const ANSWER: u64 = 1 << 20;

/// A call of `qemu-img`.
#[derive(Clone, Debug)]
pub struct Command(Vec<OsString>);

impl Command {
    /// A call of this subcommand.
    pub fn new(subcommand: &str) -> Self {
        Self(vec![subcommand.into()])
    }

    /// With an option or its value: a text of ours.
    #[must_use]
    pub fn option(mut self, text: impl Into<OsString>) -> Self {
        self.0.push(text.into());
        self
    }

    /// With a file, by name only, of the format that an option says.
    #[must_use]
    pub fn file(mut self, path: &Path) -> Self {
        let mut name = OsString::from("file:");
        name.push(path);
        self.0.push(name);
        self
    }
}

/// Runs it; its standard output.
pub async fn run(command: Command, patience: Duration) -> Result<String, MachineError> {
    let doing = "qemu-img";
    let child = tokio::time::timeout(patience, answer(command)).await;
    child.unwrap_or(Err(MachineError::Late(patience, doing)))
}

async fn answer(command: Command) -> Result<String, MachineError> {
    // `prlimit` sets the limits, then becomes the program.
    let mut child = tokio::process::Command::new("prlimit")
        .arg(format!("--as={MEMORY}"))
        .args(["--core=0", "--", "qemu-img"])
        .args(&command.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C")
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| MachineError::Away(format!("could not start qemu-img: {error}")))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = tokio::join!(text(out), text(err));
    let ended = child.wait().await;
    let status = ended.map_err(|error| MachineError::Away(format!("qemu-img: {error}")))?;
    match status.code() {
        Some(0) => Ok(out),
        Some(127) => Err(MachineError::Away(
            "qemu-img is missing: install qemu-utils".into(),
        )),
        _ => {
            let line = err.lines().last().unwrap_or("it said nothing");
            Err(MachineError::Failed(format!("qemu-img: {line}")))
        }
    }
}

async fn text(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(ANSWER).read_to_end(&mut bytes).await.ok();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
