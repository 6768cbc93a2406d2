//! The programs that stories deploy, built from source once per run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Where the binaries of this build are: beside the running test's folder.
pub fn binary(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test
        .parent()
        .and_then(Path::parent)
        .context("a test lies in target/*/deps")?;
    let path = folder.join(name);
    if !path.is_file() {
        bail!(
            "{} is missing; `cargo build --workspace --bins` in the same profile makes it",
            path.display()
        );
    }
    Ok(path)
}

/// A static service that reports to the witness on `$WITNESS_PORT` as
/// `$WITNESS_NAME`, and runs until it is told to end.
pub fn counter(folder: &Path) -> Result<PathBuf> {
    c_program(folder, "counter", include_str!("programs/counter.c"))
}

/// A static service that does nothing until it is told to end.
pub fn sleeper(folder: &Path) -> Result<PathBuf> {
    let source = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n";
    c_program(folder, "sleeper", source)
}

/// A function that answers with what it was given.
pub const ECHO_WAT: &str = include_str!("programs/echo.wat");

/// A function in JavaScript that answers with what it was given.
pub const ECHO_JS: &str = include_str!("programs/echo.js");

/// Builds a static C program.
pub fn c_program(folder: &Path, name: &str, source: &str) -> Result<PathBuf> {
    let (from, to) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&from, source)?;
    let output = Command::new("cc")
        .args(["-Os", "-static", "-o"])
        .arg(&to)
        .arg(&from)
        .output()?;
    if !output.status.success() {
        bail!(
            "cc failed on {name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(to)
}
