//! Whole lives of VMs on machines that are none: every call of the driver fails
//! once, loses its answer once or hangs, the daemon ends at every write, and
//! each time the end is the same and nothing is left behind.

mod house;
mod lives;
mod orders;
