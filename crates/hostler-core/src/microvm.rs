//! How large a microVM is, what of it is its workload's, and how its processor
//! is had.
//!
//! A guest's memory is its workload's and its own: kernel, first file system,
//! agent. The monitor on the host needs some beside. A limit on a workload makes the
//! guest smaller, never larger than it was booted.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// What a kernel, the agent and their caches need.
const KERNEL: Bytes = Bytes::mib(112);
/// What the monitor needs beside the guest's memory.
const MONITOR: Bytes = Bytes::mib(160);
const MEBIBYTE: u64 = 1 << 20;

/// The memory of a microVM as it was booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestSize {
    /// What its workload may have at most.
    pub work: Bytes,
    /// The size of the first file system, which is kept in memory.
    pub files: Bytes,
}

/// What a limit on the workload's memory means for the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestLimit {
    /// What the guest may have.
    pub guest: Bytes,
    /// What guest and monitor together may have on the host.
    pub host: Bytes,
}

/// A workload was to have more than the machine was booted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{asked} of memory were asked for, and this node's microVMs have {has} for work")]
pub struct Beyond {
    /// What was asked for.
    pub asked: Bytes,
    /// What there is.
    pub has: Bytes,
}

impl GuestSize {
    /// What the guest is booted with: while it starts, the first file system
    /// is there twice, packed and unpacked.
    pub fn booted(self) -> Bytes {
        self.with(self.work.get().max(self.files.get()))
    }

    /// What a limit means; zero is none.
    pub fn limit(self, work: Bytes) -> Result<GuestLimit, Beyond> {
        if work > self.work {
            let (asked, has) = (work, self.work);
            return Err(Beyond { asked, has });
        }
        let guest = match work.get() {
            0 => self.booted(),
            work => self.with(work),
        };
        let host = Bytes::new(guest.get().saturating_add(MONITOR.get()));
        Ok(GuestLimit { guest, host })
    }

    /// A guest with so much beside its own, in whole mebibytes: of anything
    /// smaller than a page the monitor can neither give nor take.
    fn with(self, more: u64) -> Bytes {
        let own = KERNEL.get().saturating_add(self.files.get());
        let whole = own.saturating_add(more).div_ceil(MEBIBYTE);
        Bytes::new(whole.saturating_mul(MEBIBYTE))
    }
}

/// How guests' processors are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor's own.
    Kvm,
    /// Emulated, some ten times slower.
    Emulation,
}

/// What a machine shows of its virtualisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KvmFacts {
    /// `/dev/kvm` can be opened for use.
    pub opens: bool,
    /// The kernel has the driver of Intel's or AMD's virtualisation. A KVM that has
    /// neither interprets a guest's kernel, and gives up within its start.
    pub drives: bool,
}

impl Accelerator {
    /// What works on a machine that shows this.
    pub fn of(facts: KvmFacts) -> Self {
        if facts.opens && facts.drives {
            Self::Kvm
        } else {
            Self::Emulation
        }
    }

    /// The monitor's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Emulation => "tcg",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_limit_leaves_the_guest_what_is_its_own() {
        let size = GuestSize {
            work: Bytes::mib(256),
            files: Bytes::mib(40),
        };
        let check = |work, guest, host| {
            let expected = GuestLimit {
                guest: Bytes::mib(guest),
                host: Bytes::mib(host),
            };
            assert_eq!(size.limit(Bytes::mib(work)), Ok(expected));
        };
        assert_eq!(size.booted(), Bytes::mib(408));
        check(64, 216, 376);
        check(256, 408, 568);
        check(0, 408, 568);
        let beyond = size.limit(Bytes::mib(257)).unwrap_err();
        assert_eq!((beyond.asked, beyond.has), (Bytes::mib(257), size.work));
    }

    #[test]
    fn a_kvm_without_a_processor_s_own_virtualisation_counts_as_none() {
        let check = |opens, drives, expected| {
            assert_eq!(Accelerator::of(KvmFacts { opens, drives }), expected);
        };
        check(true, true, Accelerator::Kvm);
        check(true, false, Accelerator::Emulation);
        check(false, true, Accelerator::Emulation);
        check(false, false, Accelerator::Emulation);
    }

    proptest! {
        #[test]
        fn no_limit_makes_a_guest_larger_than_it_was_booted(
            work in 0u64..1 << 40, files in 0u64..1 << 32, asked in 0u64..1 << 41,
        ) {
            let size = GuestSize { work: Bytes::new(work), files: Bytes::new(files) };
            match size.limit(Bytes::new(asked)) {
                Ok(limit) => {
                    prop_assert_eq!(limit.guest.get() % MEBIBYTE, 0);
                    prop_assert!(limit.guest <= size.booted());
                    prop_assert!(limit.host > limit.guest);
                    prop_assert!(asked == 0 || limit.guest.get() > asked + files);
                }
                Err(_) => prop_assert!(asked > work),
            }
        }
    }
}
