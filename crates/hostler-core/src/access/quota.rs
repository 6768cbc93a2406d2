//! What a project may have in all. A quota binds what is made from now on;
//! one that is set below what is there takes nothing away.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vm::VmRoom;
use crate::{Bytes, Cpu, Resources};

/// What a project has, or what is asked for in addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Bytes,
    /// Disk.
    pub disk: Bytes,
    /// VMs.
    pub vms: u64,
    /// Workloads.
    pub workloads: u64,
}

/// The most of each that a project may have; what is `None` has no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quota {
    /// Processor.
    pub cpu: Option<Cpu>,
    /// Memory.
    pub memory: Option<Bytes>,
    /// Disk.
    pub disk: Option<Bytes>,
    /// VMs.
    pub vms: Option<u64>,
    /// Workloads.
    pub workloads: Option<u64>,
}

/// Something of which there would be too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What.
    pub what: &'static str,
    /// How much of it there is.
    pub used: String,
    /// How much more was asked for.
    pub asked: String,
    /// How much there may be.
    pub limit: String,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            used,
            asked,
            limit,
        } = self;
        write!(
            f,
            "{what}: {used} of {limit} are used, {asked} more were asked for"
        )
    }
}

impl Usage {
    /// One workload that needs this.
    pub fn of_workload(needs: Resources) -> Self {
        Self {
            cpu: needs.cpu,
            memory: needs.memory,
            workloads: 1,
            ..Self::default()
        }
    }

    /// One VM with this room, seated or not. In the trash it is no VM of the
    /// project any more, but its disk is still there.
    pub fn of_vm(room: VmRoom, is_trashed: bool) -> Self {
        Self {
            cpu: room.resources.cpu,
            memory: room.resources.memory,
            disk: room.disk,
            vms: u64::from(!is_trashed),
            workloads: 0,
        }
    }

    /// What this is more than `before`, of each.
    #[must_use]
    pub fn beyond(self, before: Self) -> Self {
        let bytes =
            |after: Bytes, before: Bytes| Bytes::new(after.get().saturating_sub(before.get()));
        let cpu = self.cpu.as_millis().saturating_sub(before.cpu.as_millis());
        Self {
            cpu: Cpu::millis(cpu),
            memory: bytes(self.memory, before.memory),
            disk: bytes(self.disk, before.disk),
            vms: self.vms.saturating_sub(before.vms),
            workloads: self.workloads.saturating_sub(before.workloads),
        }
    }

    /// Both; what would overflow stays at the largest number.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        let room = |usage: Self| Resources {
            cpu: usage.cpu,
            memory: usage.memory,
        };
        let sum = room(self).plus(room(more));
        Self {
            cpu: sum.cpu,
            memory: sum.memory,
            disk: Bytes::new(self.disk.get().saturating_add(more.disk.get())),
            vms: self.vms.saturating_add(more.vms),
            workloads: self.workloads.saturating_add(more.workloads),
        }
    }
}

impl Quota {
    /// Whether it binds nothing.
    pub fn is_boundless(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether what is asked for fits beside what is used: all that does not.
/// What nothing is asked of is not looked at, so that a project above its
/// quota may still have what it has enough of.
pub fn quota_verdict(used: &Usage, asked: &Usage, quota: &Quota) -> Result<(), Vec<Excess>> {
    let excesses = [
        bound("cpu", [used.cpu, asked.cpu], quota.cpu, Cpu::as_millis),
        bound(
            "memory",
            [used.memory, asked.memory],
            quota.memory,
            Bytes::get,
        ),
        bound("disk", [used.disk, asked.disk], quota.disk, Bytes::get),
        bound("vms", [used.vms, asked.vms], quota.vms, |count| count),
        bound(
            "workloads",
            [used.workloads, asked.workloads],
            quota.workloads,
            |count| count,
        ),
    ];
    let excesses: Vec<_> = excesses.into_iter().flatten().collect();
    if excesses.is_empty() {
        Ok(())
    } else {
        Err(excesses)
    }
}

fn bound<T: Copy + fmt::Display>(
    what: &'static str,
    [used, asked]: [T; 2],
    limit: Option<T>,
    number: impl Fn(T) -> u64,
) -> Option<Excess> {
    let limit = limit?;
    let sum = number(used).saturating_add(number(asked));
    (number(asked) > 0 && sum > number(limit)).then(|| Excess {
        what,
        used: used.to_string(),
        asked: asked.to_string(),
        limit: limit.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: u64, memory_mib: u64, workloads: u64) -> Usage {
        Usage {
            cpu: Cpu::millis(cpu),
            memory: Bytes::mib(memory_mib),
            workloads,
            ..Usage::default()
        }
    }

    /// Of 4 processors, 1 GiB, 10 workloads and no disk.
    #[track_caller]
    fn check(used: Usage, asked: Usage, expected: &[&str]) {
        let quota = Quota {
            cpu: Some(Cpu::cores(4)),
            memory: Some(Bytes::mib(1_024)),
            disk: Some(Bytes::new(0)),
            vms: None,
            workloads: Some(10),
        };
        let excesses = quota_verdict(&used, &asked, &quota)
            .err()
            .unwrap_or_default();
        let names: Vec<_> = excesses.iter().map(|excess| excess.what).collect();
        assert_eq!(names, expected, "{used:?} and {asked:?}");
    }

    #[test]
    fn a_quota_is_used_to_its_last_bit_and_not_beyond() {
        check(usage(3_000, 512, 9), usage(1_000, 512, 1), &[]);
        check(usage(3_000, 512, 9), usage(1_001, 512, 1), &["cpu"]);
        check(
            usage(3_000, 512, 10),
            usage(2_000, 513, 1),
            &["cpu", "memory", "workloads"],
        );
        let disk = Usage {
            disk: Bytes::new(1),
            vms: 1_000,
            ..Usage::default()
        };
        check(usage(0, 0, 0), disk, &["disk"]);
    }

    #[test]
    fn who_is_above_a_quota_may_have_more_of_other_things() {
        check(usage(9_000, 0, 0), usage(0, 1, 1), &[]);
        check(usage(9_000, 0, 0), usage(1, 1, 1), &["cpu"]);
    }

    #[test]
    fn what_a_vm_asks_more_for_is_what_it_did_not_have_before() {
        let room = |cores: u64, disk| VmRoom {
            resources: Resources::of(cores * 1_000, cores * 512),
            disk: Bytes::mib(disk),
        };
        let check = |before: (VmRoom, bool), after: (VmRoom, bool), expected: (u64, u64, u64)| {
            let usage = |(room, trashed)| Usage::of_vm(room, trashed);
            let more = usage(after).beyond(usage(before));
            let seen = (more.cpu.as_millis(), more.disk.get() >> 20, more.vms);
            assert_eq!(seen, expected, "{before:?} and {after:?}");
        };
        check((room(0, 10), false), (room(2, 10), false), (2_000, 0, 0));
        check((room(2, 10), false), (room(1, 15), false), (0, 5, 0));
        check((room(2, 10), false), (room(0, 10), true), (0, 0, 0));
        check((room(0, 10), true), (room(0, 10), false), (0, 0, 1));
    }

    #[test]
    fn huge_numbers_fit_nowhere_and_wrap_around_nothing() {
        check(
            usage(u64::MAX, 0, u64::MAX),
            usage(u64::MAX, 0, u64::MAX),
            &["cpu", "workloads"],
        );
        let none = Quota::default();
        let all = usage(u64::MAX, 0, u64::MAX);
        assert_eq!(quota_verdict(&all.plus(all), &all, &none), Ok(()));
    }
}
