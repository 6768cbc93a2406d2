//! The real agent program, and a real static workload for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use hostler_node::slots::Deployment;

pub(crate) use crate::kit::agent;
use crate::support::Ground;

/// A deployment of the test workload that does this.
pub(crate) fn guest(ground: &Ground, arguments: &[&str]) -> Deployment {
    let program = std::fs::read(program()).expect("a program");
    let mut deployment = ground.deployment("elf", &program);
    deployment.request.argv = arguments.iter().map(|word| (*word).to_owned()).collect();
    deployment
}

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("slots-guest");
        // Each test may be a process of its own: none may see half a file.
        let fresh = file.with_extension(std::process::id().to_string());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slots/guest.c");
        let built = Command::new("cc")
            .args(["-static", "-O1", "-o"])
            .args([&fresh, &source])
            .status();
        assert!(
            built.expect("a C compiler").success(),
            "could not build the test workload"
        );
        std::fs::rename(&fresh, &file).expect("the workload in place");
        file
    })
}
