//! The file systems of a guest. Its root is in its memory, as is all that it
//! writes: a guest has no disk.

use std::ffi::CStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;

use rustix::mount::{MountFlags, mount};

use super::GuestError;

/// Where the agent and its workload work.
const WORK: &str = "/tmp/slot";

/// What is mounted, in this order: kind, where, with what.
const MOUNTS: [(&str, &str, MountFlags, Option<&CStr>); 6] = [
    ("proc", "/proc", SAFE, None),
    ("sysfs", "/sys", SAFE, None),
    ("devtmpfs", "/dev", MountFlags::NOSUID, None),
    ("tmpfs", "/run", SAFE, Some(c"mode=0755")),
    ("tmpfs", "/tmp", PLAIN, Some(c"mode=1777")),
    ("cgroup2", "/sys/fs/cgroup", SAFE, None),
];

const PLAIN: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
const SAFE: MountFlags = PLAIN.union(MountFlags::NOEXEC);

/// Mounts everything and goes to the work folder.
pub(super) fn mount_all() -> Result<(), GuestError> {
    for (kind, target, flags, data) in MOUNTS {
        mount_one(kind, target, flags, data)
            .map_err(|source| GuestError::Mount { target, source })?;
    }
    work_make().map_err(|source| GuestError::File {
        path: WORK.into(),
        source,
    })
}

fn mount_one(kind: &str, target: &str, flags: MountFlags, data: Option<&CStr>) -> io::Result<()> {
    fs::create_dir_all(target)?;
    mount(kind, target, kind, flags, data)?;
    Ok(())
}

/// The folder in which we are is the one that workloads may write.
fn work_make() -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(WORK)?;
    std::env::set_current_dir(WORK)
}
