//! From the original's settings to a node's.

use std::time::Duration;

use hostler_core::{Bytes, Cpu, Resources};

use super::{MachineConfig, Remark, Weight};
use crate::config::NodeOptions;
use crate::config::check::TYPES;
use crate::hypervisor::DriverChoice;

impl MachineConfig {
    /// Puts what was said into a node's settings; what was not said stays as it
    /// is there. Says what cannot be had with these settings.
    pub fn apply(&self, options: &mut NodeOptions) -> Vec<Remark> {
        let admission = &mut options.admission;
        admission.issuers.clone_from(&self.valid_issuers);
        admission.requesters.clone_from(&self.requester_public_keys);
        admission
            .denied_triggers
            .clone_from(&self.deny_trigger_subjects);
        admission.need = self.need(admission.need);
        let most = self.node_limits.max_workload_bytes;
        admission.artifact_bytes = most.unwrap_or(admission.artifact_bytes);
        options.tags.extend(self.tags.clone());
        self.apply_pool(options);
        let mut remarks = self.apply_types(&mut options.admission.types);
        remarks.extend(self.apply_driver(options));
        remarks
    }

    /// The types that can run here; the others are said. If none can, all are
    /// left for the settings' own check, which refuses them.
    fn apply_types(&self, types: &mut Vec<String>) -> Vec<Remark> {
        let given = self.workload_types.iter().cloned();
        let (known, others): (Vec<_>, Vec<_>) =
            given.partition(|kind| TYPES.contains(&kind.as_str()));
        if known.is_empty() {
            if !others.is_empty() {
                *types = others;
            }
            return Vec::new();
        }
        *types = known;
        let remark = |kind: &String| {
            let why = format!("'{kind}' cannot run here, and is refused");
            Remark::new("workload_types", Weight::Note, why)
        };
        others.iter().map(remark).collect()
    }

    /// What each piece of work gets that does not say what it needs.
    fn need(&self, usual: Resources) -> Resources {
        let template = self.machine_template;
        let cpu = template.vcpu_count.map(|count| Cpu::cores(count.into()));
        let memory = template.memsize_mib.map(|mib| Bytes::mib(mib.into()));
        Resources {
            cpu: cpu.unwrap_or(usual.cpu),
            memory: memory.unwrap_or(usual.memory),
        }
    }

    fn apply_pool(&self, options: &mut NodeOptions) {
        let pool = &mut options.slots.pool;
        pool.warm = self.machine_pool_size.unwrap_or(pool.warm);
        pool.max = self.node_limits.max_workloads.unwrap_or(pool.max);
        pool.warm = pool.warm.min(pool.max);
        pool.warm_most = pool.warm_most.max(pool.warm).min(pool.max);
        let millis = |given: Option<u64>, usual| given.map_or(usual, Duration::from_millis);
        pool.boot = millis(self.agent_handshake_timeout_ms, pool.boot);
        let ping = &mut options.slots.deadlines.ping;
        *ping = millis(self.agent_ping_timeout_ms, *ping);
    }

    /// Work in processes where that was asked for; where machines were, and
    /// there are none, that is said.
    fn apply_driver(&self, options: &mut NodeOptions) -> Option<Remark> {
        let driver = &mut options.slots.driver;
        if !self.sandboxed() {
            if matches!(driver, DriverChoice::Best) {
                *driver = DriverChoice::Process;
            }
            return None;
        }
        let why = "it asks for a microVM for each workload, and this node runs them as processes \
                   with limits of their own; say \"no_sandbox\": true if that will do";
        let is_process = matches!(driver, DriverChoice::Best | DriverChoice::Process);
        is_process.then(|| Remark::new("no_sandbox", Weight::Guard, why))
    }
}
