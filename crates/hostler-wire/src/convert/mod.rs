//! Wire to core and back. For what people ask for, the conversion is the
//! validation: what has become a [`NewWorkload`] or a [`NewVm`] needs no further check, and
//! what cannot become one is told every mistake at once.

mod amounts;
mod mistake;
mod new_vm;
mod new_workload;
mod rules;
mod time;

pub use mistake::{Mistake, Mistakes};
pub use new_vm::{DEFAULT_STOP_MS, NewVm, labels_check, name_of, vm_size_check};
pub use new_workload::{NewWorkload, limits};
pub use time::{datetime, timestamp};
