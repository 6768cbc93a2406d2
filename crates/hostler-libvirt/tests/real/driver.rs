//! The driver's process.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hostler_daemon::process::Signal;
use hostler_e2e::processes;
use hostler_node::hypervisor::machines::{Helper, HelperOptions};

use crate::guest::Boot;

const PATIENCE: Duration = Duration::from_mins(2);

/// A file of settings: names, a network of its own, and the guest's kernel.
pub(crate) fn settings(prefix: &str, network: u8, boot: &Boot) -> String {
    let mut text = format!("prefix = '{prefix}'\nbridge = '{prefix}0'\n");
    writeln!(text, "network = '10.213.{network}.0/24'\n[kernel]").unwrap();
    writeln!(text, "file = '{}'", boot.kernel.display()).unwrap();
    writeln!(text, "initrd = '{}'", boot.initrd.display()).unwrap();
    writeln!(text, "command_line = '{}'", boot.command_line).unwrap();
    text
}

/// Waits until libvirt, which needs a moment to begin, answers.
pub(crate) fn libvirt_answers() {
    let begun = Instant::now();
    let asks = || {
        let mut virsh = std::process::Command::new("virsh");
        virsh.args(["-c", "qemu:///system", "version"]).output()
    };
    while !asks().is_ok_and(|answer| answer.status.success()) {
        assert!(begun.elapsed() < PATIENCE, "libvirt does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts one, which finds libvirt there.
pub(crate) async fn begin(folder: &Path, owner: &str, settings: &Path) -> Helper {
    libvirt_answers();
    let helper = Helper::start(HelperOptions {
        program: env!("CARGO_BIN_EXE_hostler-machines").into(),
        arguments: vec![
            "--folder".into(),
            folder.into(),
            "--owner".into(),
            owner.into(),
            "--settings".into(),
            settings.into(),
        ],
        hello_within: PATIENCE,
    });
    let about = helper.begun(PATIENCE).await.unwrap();
    assert_eq!(about.driver, "libvirt");
    helper
}

/// Kills the one of these data, once that of an earlier life has ended.
pub(crate) async fn kill(data: &Path) {
    let ours = |found: &processes::Found| found.command.contains("hostler-machines ");
    let only = hostler_e2e::eventually("one driver", || async {
        let mut all = processes::below(data).into_iter().filter(ours);
        all.next().filter(|_| all.next().is_none())
    });
    only.await.unwrap().id.signal(Signal::KILL);
}
