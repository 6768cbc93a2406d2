//! What the machine has and how busy it is, as the kernel tells it.

use std::path::Path;

use hostler_core::{Bytes, Cpu, Resources};
use hostler_wire::node_api::HostInfo;

/// Memory of the machine, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) free: u64,
    pub(crate) available: u64,
}

/// How many processors this process may use.
pub(crate) fn cpus() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}

/// Memory, if `/proc/meminfo` can be read.
pub(crate) fn memory() -> Option<Memory> {
    memory_parse(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// What the machine has, all of it.
pub fn capacity() -> Resources {
    Resources {
        cpu: Cpu::cores(cpus()),
        memory: Bytes::new(memory().unwrap_or_default().total),
    }
}

/// What the machine has and how busy it is; the disk is that of `data`.
pub(crate) fn info(data: &Path) -> HostInfo {
    let memory = memory().unwrap_or_default();
    let (disk_total, disk_available) = disk(data).unwrap_or_default();
    HostInfo {
        cpu_count: cpus(),
        load: load().unwrap_or_default(),
        memory_total: memory.total,
        memory_available: memory.available,
        disk_total,
        disk_available,
    }
}

fn memory_parse(text: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib << 10)
    };
    Some(Memory {
        total: bytes("MemTotal:")?,
        free: bytes("MemFree:")?,
        available: bytes("MemAvailable:")?,
    })
}

fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn disk(path: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Some((bytes(stat.f_blocks), bytes(stat.f_bavail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_its_lines() {
        let text = "MemTotal:       16 kB\nMemFree:         4 kB\nMemAvailable:    8 kB\n";
        let expected = Memory {
            total: 16 << 10,
            free: 4 << 10,
            available: 8 << 10,
        };
        assert_eq!(memory_parse(text), Some(expected));
        assert_eq!(memory_parse("MemTotal: 16 kB\n"), None);
    }

    #[test]
    fn this_machine_has_something() {
        let info = info(Path::new("/"));
        assert!(info.cpu_count > 0 && info.memory_total > 0 && info.disk_total > 0);
    }
}
