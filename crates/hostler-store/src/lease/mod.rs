//! Leases: who may act for the fleet, for a while. Each change of holder
//! raises the lease's number; a change made under a lease reads the number in
//! its own transaction, so a holder that was paused past its time can do no
//! harm when it wakes.

pub(crate) mod fence;
mod row;
mod take;

/// Proof of having taken a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The lease's name, such as `passes`.
    pub name: String,
    /// Its number when it was taken.
    pub number: u64,
}
