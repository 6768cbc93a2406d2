//! What a heartbeat tells.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hostler_core::Resources;
use hostler_core::node::Beat;
use hostler_wire::node_api::{Heartbeat, Report};
use hostler_wire::rest::Resources as ResourcesBody;

use crate::host;
use crate::hypervisor::Isolation;
use crate::tags::tags;
use crate::vms::VmRoster;
use crate::workloads::Roster;

/// What does not change while the daemon lives.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    pub(crate) name: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) isolation: Isolation,
    pub(crate) capacity: Resources,
    /// How many workloads there may be at once.
    pub(crate) slots: u32,
    pub(crate) data: PathBuf,
    /// Bytes for the disks of VMs; zero: none are held.
    pub(crate) vm_disk_bytes: u64,
}

/// What changes between heartbeats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) work: Roster,
    pub(crate) vms: VmRoster,
}

impl Telling {
    /// One heartbeat.
    pub(crate) fn body(&self, beat: Beat, span: Option<Duration>, told: &Told) -> Heartbeat {
        let info = host::info(&self.data);
        let memory = self.capacity.memory.get();
        let busy = info.load.min(info.cpu_count as f64);
        Heartbeat {
            total_cpu: (self.capacity.cpu.as_millis() / 1_000).max(1),
            total_mem: memory >> 20,
            total_disk: info.disk_total >> 30,
            available_cpu: info.cpu_count as f64 - busy,
            available_mem: info.memory_available.min(memory) as f64 / f64::from(1 << 20),
            available_disk: info.disk_available as f64 / f64::from(1 << 30),
            report: Some(self.report(beat, span, told)),
        }
    }

    fn report(&self, beat: Beat, span: Option<Duration>, told: &Told) -> Report {
        let roster = &told.work;
        let views = roster.views.values();
        Report {
            beat,
            fence_after_ms: span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            version: crate::VERSION.to_owned(),
            capacity: ResourcesBody {
                cpu_millis: self.capacity.cpu.as_millis(),
                memory_bytes: self.capacity.memory.get(),
            },
            slots: self.slots,
            tags: tags(&self.tags, &self.name, &self.isolation, roster.lame_duck),
            ledger: views.clone().filter_map(|view| view.entry()).collect(),
            unclaimed: views.filter_map(|view| view.unclaimed()).collect(),
            vm_disk_bytes: self.vm_disk_bytes,
            vms: told.vms.entries(),
            unclaimed_vms: told.vms.unclaimed(),
        }
    }
}
