//! What real guests are booted from, for tests of more than one program.

use std::path::{Path, PathBuf};
use std::process::Command;

use hostler_core::Bytes;
use hostler_node::hypervisor::QemuOptions;
use hostler_node::rootfs::{BuildOptions, KernelFiles, build};

/// What the machine must have.
const PROGRAMS: [&str; 3] = ["qemu-system-x86_64", "socat", "nats-server"];

/// The usual microVMs, booted from what is made in this folder; nothing, said
/// loudly, where that cannot be. In CI it has to be.
pub(crate) fn qemu(folder: &Path) -> Option<QemuOptions> {
    if let Some(missing) = missing() {
        let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!in_ci, "{missing}");
        eprintln!("SKIPPED: no guest can be booted here: {missing}");
        return None;
    }
    let options = BuildOptions {
        out: folder.join("rootfs"),
        agent: agent(),
        kernel: Some(KernelFiles::in_folder(&kernel()).expect("a kernel")),
    };
    build(&options, |_| ()).expect("a rootfs");
    Some(QemuOptions {
        memory: Bytes::mib(256),
        ..QemuOptions::new(options.out)
    })
}

/// The agent beside the folder that holds this test's own program.
pub(crate) fn agent() -> PathBuf {
    let me = std::env::current_exe().expect("a program");
    let folder = me.parent().and_then(Path::parent).expect("a target folder");
    let agent = folder.join("hostler-agent");
    assert!(
        agent.is_file(),
        "{} is missing; build it with: cargo build -p hostler-agent",
        agent.display()
    );
    agent
}

/// The kernel, where `scripts/setup test` has put it.
fn kernel() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guest")
}

fn missing() -> Option<String> {
    let lacks = |program: &&&str| {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output();
        !found.is_ok_and(|found| found.status.success())
    };
    let lacking: Vec<_> = PROGRAMS.iter().filter(lacks).collect();
    if !lacking.is_empty() {
        return Some(format!("these programs are missing: {lacking:?}"));
    }
    let there = kernel().join("boot").is_dir();
    (!there).then(|| "the guest's kernel is missing: scripts/setup test fetches it".to_owned())
}
