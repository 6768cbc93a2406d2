//! A VM: a long-lived machine that a user owns.
//!
//! Like a workload it has a *goal*, a *seat* and what the node there has *seen*
//! of it, and each change of what is wanted raises the generation. Unlike a
//! workload it has a disk: its seat stays where its disk is, also while it is
//! stopped, and *gone* is the only goal that gives the disk up.
//!
//! Everything wanted of a VM is one document, told whole each time, so that a
//! lost or repeated order does no harm. What happens once (a reboot, a rollback)
//! is a number in it that only grows: a node that has done fewer does one more,
//! and writes down that it begins before it does.
//!
//! What must never happen: two nodes running one VM, an order of an older
//! generation obeyed, a disk removed on anything but the goal *gone* or a
//! move that has ended.

mod next;
mod order;
mod words;

pub use next::{
    Act, DiskFact, Life, Note, Power, Shown, Stopping, VmDone, VmNow, VmWanted, next_act,
    seen_state, wants_restart,
};
pub use order::{VmHeld, vm_order_verdict};
pub use words::{
    Firmware, RollbackDone, SnapshotState, VmGoal, VmSeen, VmSeenState, VmSize, WantsRestart,
};
