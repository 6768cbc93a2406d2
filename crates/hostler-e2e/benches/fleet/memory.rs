//! Sizes of the programs, and memory of the running ones.

use anyhow::{Context as _, Result};
use hostler_daemon::process::ProcessId;
use hostler_e2e::programs;

use crate::figures::figure;

/// How large the two programs are.
pub(crate) fn sizes() -> Result<()> {
    for program in ["hostler", "hostler-agent"] {
        let bytes = std::fs::metadata(programs::binary(program)?)?.len();
        figure("size", program, (bytes as f64 / 1e6, "MB"), None);
    }
    Ok(())
}

/// Resident memory of a process, in MB; much of it is the program's own text,
/// which the kernel maps as it likes and all processes of a program share.
pub(crate) fn resident(id: ProcessId) -> Result<f64> {
    status(id, "VmRSS:")
}

/// The part of it that is the process's alone, in MB.
pub(crate) fn private(id: ProcessId) -> Result<f64> {
    status(id, "RssAnon:")
}

fn status(id: ProcessId, field: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", id.pid))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.with_context(|| format!("a process has {field}"))? * 1_024.0 / 1e6)
}
