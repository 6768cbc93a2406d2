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
//! Status is computed from facts ([`vm_status`]), and so is the one next step of
//! the control plane ([`vm_next_step`]).
//!
//! ```text
//!           place              ensure                seen
//!  queued ─────────▶ preparing ──────▶ starting ──────▶ running ⇄ paused
//!    │                   │                ▲               │ goal stopped
//!    │ disk lost         │ failed         │ goal running  ▼
//!    ▼                   ▼                └─────────── stopped ──▶ trashed
//!   lost               failed                                │ goal gone
//!                                          (row erased) ◀── deleting
//! ```
//!
//! What must never happen: two nodes running one VM, an order of an older
//! generation obeyed, a disk removed on anything but the goal *gone* or a
//! move that has ended.

mod adoption;
pub mod bounds;
mod facts;
mod next;
mod order;
pub mod qcow2;
mod said;
mod status;
mod step;
mod trash;
mod words;

pub use adoption::{Adoption, VmFound, vm_adoption};
pub use facts::{DiskOnLoss, VmFacts, VmRoom};
pub use next::{
    Act, DiskFact, Life, Note, Power, Shown, Stopping, VmDone, VmNow, VmWanted, next_act,
    seen_state, wants_restart,
};
pub use order::{VmHeld, vm_order_verdict};
pub use said::{vm_claim, vm_is_later, vm_is_missing, vm_wants_forgotten};
pub use status::{SeatSight, VmStatus, vm_status};
pub use step::{VmStep, vm_next_step};
pub use trash::{Deletion, TRASH_KEPT, vm_deletion, vm_leaves_trash};
pub use words::{
    Firmware, RollbackDone, SnapshotState, VmGoal, VmSeen, VmSeenState, VmSize, WantsRestart,
};
