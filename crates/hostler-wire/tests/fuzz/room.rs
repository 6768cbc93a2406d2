//! The bound on what a decoder may allocate: the address space of the process,
//! which is inherited by nobody since these tests start no process.

use std::sync::Once;

use rustix::process::{Resource, Rlimit, setrlimit};

/// More than anything here needs, and less than a length of 32 bits asks for.
const ROOM: u64 = 1 << 30;

static BOUND: Once = Once::new();

/// Bounds this process, once.
pub(crate) fn bound() {
    BOUND.call_once(|| {
        let limit = Rlimit {
            current: Some(used() + ROOM),
            maximum: None,
        };
        setrlimit(Resource::As, limit).expect("a limit of the address space");
    });
}

/// What the process has at this moment.
fn used() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .expect("a size");
    kib.parse::<u64>().expect("a number") << 10
}

#[test]
fn the_bound_is_one() {
    bound();
    let mut bytes: Vec<u8> = Vec::new();
    let room = usize::try_from(ROOM).expect("a machine of 64 bits");
    assert!(bytes.try_reserve_exact(2 * room).is_err());
    assert!(bytes.try_reserve_exact(room / 4).is_ok());
}
