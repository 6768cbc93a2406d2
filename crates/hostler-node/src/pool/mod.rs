//! Keeping the warm pool: what to boot and what to retire is decided in the
//! core ([`hostler_core::pool::plan`]), here it is done.
//!
//! One task looks whenever something changed and when the plan says so; each
//! boot is a task of its own, so that a slow one holds up none.

mod keeper;

pub(crate) use keeper::keep;
