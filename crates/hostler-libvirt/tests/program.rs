//! The driver's program, on libvirt's own mock, which lives and dies with it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use hostler_core::id::VmId;
use hostler_core::vm::{Firmware, VmSize};
use hostler_daemon::process::Signal;
use hostler_e2e::{eventually, processes};
use hostler_node::hypervisor::machines::{
    Helper, HelperOptions, MachineError, MachineSpec, Machines as _, PowerAct,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_mins(2);
const MOCK: &str = "uri = 'test:///default'";

fn vm() -> VmId {
    VmId::from_parts(1, [7; 10])
}

fn spec(folder: &Path) -> MachineSpec {
    MachineSpec {
        vm: vm(),
        name: "web".into(),
        project: "default".into(),
        size: VmSize {
            cpus: 1,
            memory: hostler_core::Bytes::mib(64),
            disk: hostler_core::Bytes::mib(1),
        },
        firmware: Firmware::Bios,
        disks: vec![],
        nics: vec![],
        seed: folder.join("seed.img"),
        folder: folder.to_owned(),
    }
}

/// The program with these settings.
fn start(folder: &TempDir, settings: &str) -> Helper {
    let file = folder.path().join("vms.toml");
    std::fs::write(&file, settings).unwrap();
    Helper::start(HelperOptions {
        program: env!("CARGO_BIN_EXE_hostler-machines").into(),
        arguments: vec![
            "--folder".into(),
            folder.path().join("vms").into(),
            "--owner".into(),
            "me".into(),
            "--settings".into(),
            file.into(),
        ],
        hello_within: PATIENCE,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_it_begins_again_and_stopped_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let helper = start(&folder, MOCK);
    let about = helper.begun(PATIENCE).await.unwrap();
    assert_eq!(about.driver, "libvirt");
    assert!(about.version.contains('.'), "{about:?}");
    helper.define(&spec(folder.path())).await.unwrap();
    helper.power(vm(), PowerAct::Start).await.unwrap();
    let ours = |all: &[hostler_node::hypervisor::machines::Sight]| {
        all.iter().any(|sight| sight.vm == Some(vm()))
    };
    assert!(ours(&helper.look().await.unwrap()));
    let first = processes::below(folder.path());
    assert_eq!(first.len(), 1, "{first:?}");
    first[0].id.signal(Signal::KILL);
    // Its mock's machines have died with it: this is the next life.
    let next = eventually("another life", || async {
        match helper.look().await {
            Ok(all) => (!ours(&all)).then_some(()),
            Err(error) => {
                assert!(matches!(error, MachineError::Away(_)), "{error}");
                None
            }
        }
    });
    next.await.unwrap();
    helper.stop().await;
    assert!(processes::below(folder.path()).is_empty());
    assert!(matches!(helper.look().await, Err(MachineError::Away(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_libvirt_that_is_not_there_is_said_at_once_and_the_program_stays() {
    let folder = tempfile::tempdir().unwrap();
    let helper = start(&folder, "uri = 'qemu+unix:///system?socket=/nowhere/sock'");
    let why = helper.begun(PATIENCE).await.unwrap_err();
    assert!(why.contains("does not answer"), "{why}");
    assert!(!helper.about().accelerator.is_empty());
    assert!(matches!(helper.look().await, Err(MachineError::Away(_))));
    assert_eq!(processes::below(folder.path()).len(), 1);
    helper.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_followed_are_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let helper = start(&folder, "prefx = 'lab'");
    let why = helper.begun(PATIENCE).await.unwrap_err();
    assert!(why.contains("exit status: 1"), "{why}");
    helper.stop().await;
}

#[test]
fn the_main_program_is_not_linked_to_libvirt() {
    let needs = |program: &Path| {
        let said = std::process::Command::new("ldd").arg(program).output();
        String::from_utf8(said.unwrap().stdout).unwrap()
    };
    let driver = Path::new(env!("CARGO_BIN_EXE_hostler-machines"));
    assert!(needs(driver).contains("libvirt"));
    let main = hostler_e2e::programs::binary("hostler").unwrap();
    assert!(!needs(&main).contains("libvirt"));
}
