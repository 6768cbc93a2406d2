//! What a service may do, beyond what its user may: read the system, write its
//! work folder, and nothing more of the file system; signal nobody outside;
//! gain no privileges; leave no core dumps. Of the superuser's capabilities it
//! keeps one, to serve low ports. TCP and UDP are not restricted.
//!
//! Landlock is used as far as the kernel has it; the rest works everywhere.
//! Capabilities have to go because some let a process look into others in
//! spite of Landlock.
//! Applied by the process to itself before it becomes the program.

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_no_new_privs,
};

/// The newest rules we know; older kernels enforce what they can.
const RULES: ABI = ABI::V6;

/// Read and executed by whoever runs programs. Of `/etc` only what programs
/// need to find hosts, users, time and certificates.
const SYSTEM: [&str; 28] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/proc",
    "/sys",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/timezone",
];

/// Read and written by everybody.
const DEVICES: [&str; 6] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
];

/// A step of the confinement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfineError {
    /// There is no work folder.
    #[error("could not find its work folder: {0}")]
    Work(#[from] io::Error),
    /// The agent has died meanwhile.
    #[error("the agent has died")]
    Orphaned,
    /// A call to the kernel.
    #[error("could not {0}: {1}")]
    Kernel(&'static str, io::Error),
    /// Landlock is there and refused.
    #[error("could not restrict the file system: {0}")]
    Landlock(#[from] RulesetError),
}

/// What keeps a service apart here, by name.
pub(crate) fn isolation() -> Vec<&'static str> {
    let mut measures = vec![
        "process-group",
        "death-signal",
        "no-new-privileges",
        "capabilities",
    ];
    if has_landlock() {
        measures.push("landlock");
    }
    measures
}

fn has_landlock() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok()
}

/// Confines this process for good. `agent` is its parent, with which it dies.
pub(crate) fn confine(agent: i32, work: &Path) -> Result<(), ConfineError> {
    let kernel = |what| move |error: rustix::io::Errno| ConfineError::Kernel(what, error.into());
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(kernel("ask for a death signal"))?;
    // Asked for after the parent died it would never come.
    if getppid() != Pid::from_raw(agent) {
        return Err(ConfineError::Orphaned);
    }
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(kernel("forbid core dumps"))?;
    // Out of memory, the service goes before its agent. Without effect is well.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    drop_capabilities().map_err(kernel("give up capabilities"))?;
    set_no_new_privs(true).map_err(kernel("give up new privileges"))?;
    restrict(work)?;
    Ok(())
}

/// Takes them out of what the program can get; this process keeps its own
/// until then. Whoever may not do that has none worth taking.
fn drop_capabilities() -> Result<(), rustix::io::Errno> {
    use rustix::io::Errno;
    clear_ambient_capability_set()?;
    for one in CapabilitySet::all().difference(CapabilitySet::NET_BIND_SERVICE) {
        match remove_capability_from_bounding_set(one) {
            // Not ours to take, or not known to this kernel.
            Ok(()) | Err(Errno::PERM | Errno::INVAL) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn restrict(work: &Path) -> Result<(), RulesetError> {
    let read_write = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, AccessFs::from_read(RULES)))?
        .add_rules(path_beneath_rules(DEVICES, read_write))?
        .add_rules(path_beneath_rules([work], AccessFs::from_all(RULES)))?
        .restrict_self()?;
    Ok(())
}
