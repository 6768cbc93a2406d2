//! What CI runs, in the order in which mistakes are cheapest to find.

use anyhow::Result;

use crate::{arrows, deny, run, tidy, tool};

/// Everything, with the crates built in `profile`.
pub(crate) fn check(profile: &str) -> Result<()> {
    run("cargo", &["fmt", "--all", "--check"])?;
    arrows::check()?;
    tidy::check()?;
    deny::check()?;
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--profile",
        profile,
    ];
    run("cargo", &[&lints[..], &["--", "-D", "warnings"]].concat())?;
    tests(profile)
}

fn tests(profile: &str) -> Result<()> {
    // Tests of the node start real agents, which no test target builds.
    run(
        "cargo",
        &["build", "--workspace", "--bins", "--profile", profile],
    )?;
    if has_nextest() {
        let all = [
            "nextest",
            "run",
            "--workspace",
            "--cargo-profile",
            profile,
            "--no-fail-fast",
        ];
        return run("cargo", &all);
    }
    run(
        "cargo",
        &[
            "test",
            "--workspace",
            "--profile",
            profile,
            "--no-fail-fast",
        ],
    )
}

fn has_nextest() -> bool {
    let found = tool("cargo", &["nextest", "--version"]);
    found.is_ok_and(|mut tool| tool.output().is_ok_and(|said| said.status.success()))
}

/// Rewrites what tests compare with; the difference is then read in review.
pub(crate) fn bless() -> Result<()> {
    let bless = [
        "BLESS=1",
        "cargo",
        "test",
        "-p",
        "hostler-wire",
        "-p",
        "hostler-control",
    ];
    run("env", &bless)
}
