//! What only looks: PING, WPING and INFO (protocol 1.3 to 1.5).

use std::sync::Arc;

use hostler_wire::nats::envelope::success;
use hostler_wire::nats::info::{Machine, MachineWorkload, MemoryStat};
use hostler_wire::nats::ping::{PingedWorkload, same_word};
use hostler_wire::nats::uptime::runtime_text;
use hostler_wire::nats::{
    InfoReply, PingReply, ReplyType, WorkloadFilter, WorkloadPingReply, uptime_text,
};

use super::ControlApi;
use crate::host;
use crate::ledger::Plan;
use crate::workloads::View;

impl ControlApi {
    pub(super) fn ping(&self) -> Vec<u8> {
        let running_machines = self.workloads.roster().borrow().running();
        let reply = PingReply {
            node_id: self.identity.node().to_owned(),
            version: crate::VERSION.to_owned(),
            uptime: self.uptime(),
            tags: self.tags(),
            running_machines,
        };
        success(ReplyType::Ping, &reply)
    }

    /// No answer when nothing matches.
    pub(super) fn workload_ping(&self, namespace: &str, workload: &str) -> Option<Vec<u8>> {
        let filter = WorkloadFilter {
            namespace: namespace.to_owned(),
            workload: workload.to_owned(),
        };
        let listed = self.listed();
        let pinged = listed.iter().filter_map(|(view, plan, id)| {
            let asked = filter.matches(&plan.namespace, id, &plan.name);
            asked.then(|| PingedWorkload {
                id: id.clone(),
                namespace: plan.namespace.clone(),
                name: plan.name.clone(),
                r#type: type_of(view),
            })
        });
        let running_machines: Vec<_> = pinged.collect();
        (!running_machines.is_empty()).then(|| {
            let reply = WorkloadPingReply {
                node_id: self.identity.node().to_owned(),
                version: crate::VERSION.to_owned(),
                tags: self.tags(),
                uptime: self.uptime(),
                running_machines,
            };
            success(ReplyType::Ping, &reply)
        })
    }

    pub(super) fn info(&self, namespace: &str) -> Vec<u8> {
        let listed = self.listed();
        let here = listed
            .iter()
            .filter(|(_, plan, _)| same_word(&plan.namespace, namespace));
        let reply = InfoReply {
            version: crate::VERSION.to_owned(),
            uptime: self.uptime(),
            public_xkey: self.identity.xkey().public_key(),
            tags: self.tags(),
            memory: host::memory().map(|memory| MemoryStat {
                total: memory.total >> 10,
                free: memory.free >> 10,
                available: memory.available >> 10,
            }),
            machines: here
                .map(|(view, plan, id)| machine(view, plan, id))
                .collect(),
            supported_workload_types: self.admission.types.clone(),
        };
        success(ReplyType::Info, &reply)
    }

    pub(super) fn uptime(&self) -> String {
        uptime_text(self.started.elapsed())
    }

    /// What agents have, with plan and id.
    fn listed(&self) -> Vec<(Arc<View>, Plan, String)> {
        let roster = self.workloads.roster();
        let roster = roster.borrow();
        let listed = roster.views.values().filter(|view| view.is_listed());
        let parts = |view: &Arc<View>| {
            let (plan, slot) = (view.work.plan.clone()?, view.slot?);
            Some((Arc::clone(view), plan, slot.to_string()))
        };
        listed.filter_map(parts).collect()
    }
}

fn type_of(view: &View) -> String {
    let kind = view.work.plan.as_ref().map(|plan| plan.kind.as_str());
    kind.unwrap_or_default().to_owned()
}

fn machine(view: &View, plan: &Plan, id: &str) -> Machine {
    let unknown = || "unknown".to_owned();
    let uptime = view.uptime().map_or_else(unknown, uptime_text);
    let runtime = if plan.kind.is_function() && view.since.is_some() {
        runtime_text(view.computed.total())
    } else {
        uptime.clone()
    };
    Machine {
        id: id.to_owned(),
        healthy: true,
        uptime,
        namespace: plan.namespace.clone(),
        workload: MachineWorkload {
            name: plan.name.clone(),
            description: plan.description.clone(),
            runtime,
            r#type: plan.kind.as_str().to_owned(),
            hash: plan.artifact.digest.clone(),
        },
    }
}
