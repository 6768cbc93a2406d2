//! Running the distribution's tools.

use std::path::Path;
use std::process::{Command, Stdio};

use super::RootfsError;

/// What a program writes to its standard output, run in this folder.
pub(super) fn output(
    folder: &Path,
    program: &str,
    arguments: &[&str],
) -> Result<String, RootfsError> {
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| RootfsError::Run {
            program: program.to_owned(),
            source,
        })?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    Err(RootfsError::Failed {
        program: program.to_owned(),
        said: String::from_utf8_lossy(&ran.stderr).trim().to_owned(),
    })
}
