//! `POST /slaves/heartbeat`: a node says that it lives and what it holds.
//!
//! In this order: each entry of the ledger is claimed (whose is it?), the
//! node's own facts are written with the lease that the answer grants, what it
//! says of its seated work is written, and remarks go to the passes. No node
//! is called from here. A heartbeat that comes late, after a newer one,
//! changes nothing and grants nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use hostler_core::id::{BootId, NodeId, WorkloadId};
use hostler_core::node::{Availability, Beat, availability, lease_grant};
use hostler_core::workload::{Claim, SeenState, claim, is_missing, wants_forgotten};
use hostler_core::{Bytes, Generation, Resources, Timestamp};
use hostler_store::{
    HeartbeatOrder, HeartbeatOutcome, NodeReport, NodeRow, SeenEntry, StoreError, Tombstone,
    WorkloadRow,
};
use hostler_wire::node_api::{Entry, Heartbeat, HeartbeatReply, Report, Unclaimed};

use super::show::DISK_TAG;
use super::vm_ledger::{VmLedger, unclaimed_room};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::Json;
use crate::nodes::seen_entry;
use crate::passes::Stray;
use crate::state::App;

/// Takes a node's report and grants it its work for another while.
#[utoipa::path(post, path = "/slaves/heartbeat", tag = "nodes",
    request_body(content = Object, description = "Totals, free amounts, and a report."),
    responses((status = 200, body = Object), (status = "4XX", body = hostler_wire::rest::ErrorBody)))]
pub(crate) async fn heartbeat(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<Heartbeat>,
) -> ApiResult<axum::Json<HeartbeatReply>> {
    let Caller::Node(node) = caller else {
        return Err(ApiError::unauthenticated("this needs a node's key"));
    };
    let failed = |error: StoreError| ApiError::internal("taking a heartbeat", &error);
    let now = app.now();
    let mut report = report_of(&body, now);
    let kept = report.fence_after_ms.map(Duration::from_millis);
    let grant = lease_grant(now, app.other_nodes(), kept, &app.timing);
    let mut ledger = Ledger::look(&app, &node, &report.ledger)
        .await
        .map_err(failed)?;
    let mut vms = VmLedger::look(&app, node.facts.id, &report.vms)
        .await
        .map_err(failed)?;
    report.unclaimed_vms.append(&mut vms.orphans);
    let order = HeartbeatOrder {
        boot: report.beat.boot,
        sequence: report.beat.sequence,
    };
    let noted = node_report(&body, report, &ledger.unknown, grant.until);
    match app
        .store
        .node_heartbeat(now, node.facts.id, noted)
        .await
        .map_err(failed)?
    {
        HeartbeatOutcome::Accepted => {
            ledger.write(&app, order, now).await.map_err(failed)?;
            let place = (node.facts.id, order);
            vms.write(&app, place, now).await.map_err(failed)?;
        }
        HeartbeatOutcome::Stale => {
            let text = "a later heartbeat of this node was heard already";
            return Err(ApiError::new(Code::Conflict, text));
        }
        HeartbeatOutcome::Unknown => {
            return Err(ApiError::new(Code::Gone, "this node was unregistered"));
        }
    }
    if availability(node.facts.last_heard, now, &app.timing) != Availability::Online {
        // It takes work again, from now on.
        app.passes.wake_all();
    }
    Ok(axum::Json(HeartbeatReply {
        heartbeat_ms: millis(app.timing.heartbeat),
        fence_after_ms: grant.fence_after.map(millis),
        forget: ledger.forget,
        forget_vms: vms.forget,
    }))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A client that knows only the seed's six numbers reports no slots, and so
/// is given no work.
fn report_of(body: &Heartbeat, now: Timestamp) -> Report {
    let memory_bytes = body.total_mem.saturating_mul(1 << 20);
    body.report.clone().unwrap_or_else(|| Report {
        beat: Beat {
            boot: BootId::from_uuid(uuid::Uuid::nil()),
            sequence: now.ms().unsigned_abs(),
        },
        fence_after_ms: None,
        version: String::new(),
        capacity: hostler_wire::rest::Resources {
            cpu_millis: body.total_cpu.saturating_mul(1_000),
            memory_bytes,
        },
        slots: 0,
        tags: BTreeMap::new(),
        ledger: Vec::new(),
        unclaimed: Vec::new(),
        vm_disk_bytes: 0,
        vms: Vec::new(),
        unclaimed_vms: Vec::new(),
    })
}

fn node_report(
    body: &Heartbeat,
    report: Report,
    unknown: &[WorkloadId],
    lease_until: Timestamp,
) -> NodeReport {
    let taken = report.unclaimed.iter().map(|work| work.resources.into());
    let room = taken.fold(Resources::default(), Resources::plus);
    let room = room.plus(unclaimed_room(&report.unclaimed_vms));
    let works = report.unclaimed.iter().map(unclaimed_text);
    let names: Vec<String> = works
        .chain(unknown.iter().map(ToString::to_string))
        .collect();
    let mut tags = report.tags;
    tags.insert(DISK_TAG.to_owned(), body.total_disk.to_string());
    NodeReport {
        boot: report.beat.boot,
        sequence: report.beat.sequence,
        version: report.version,
        capacity: report.capacity.into(),
        slots: report.slots,
        tags,
        unclaimed_slots: u32::try_from(names.len()).unwrap_or(u32::MAX),
        unclaimed: names.into(),
        unclaimed_room: room,
        vm_disk: Bytes::new(report.vm_disk_bytes),
        unclaimed_vms: serde_json::to_value(&report.unclaimed_vms).unwrap_or_default(),
        lease_until,
    }
}

fn unclaimed_text(work: &Unclaimed) -> String {
    format!("{}/{} ({})", work.namespace, work.name, work.slot)
}

/// What a node's ledger comes to.
#[derive(Default)]
struct Ledger {
    node: Option<NodeId>,
    seen: Vec<SeenEntry>,
    strays: Vec<(WorkloadId, Stray)>,
    unknown: Vec<WorkloadId>,
    /// Erased workloads that the node still holds.
    needed: Vec<WorkloadId>,
    forget: Vec<(WorkloadId, Generation)>,
}

impl Ledger {
    /// Claims every entry, by what the store says now.
    async fn look(app: &App, node: &NodeRow, entries: &[Entry]) -> Result<Self, StoreError> {
        let ids: Vec<WorkloadId> = entries.iter().map(|entry| entry.id).collect();
        let rows = app.store.workload_many(&ids).await?;
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.facts.id, row)).collect();
        let erased: Vec<_> = ids
            .iter()
            .filter(|id| !rows.contains_key(id))
            .copied()
            .collect();
        let graves = app.store.tombstones(&erased).await?;
        let graves: BTreeMap<_, _> = graves.into_iter().map(|grave| (grave.id, grave)).collect();
        let mut ledger = Self {
            node: Some(node.facts.id),
            ..Self::default()
        };
        for entry in entries {
            ledger.sort(entry, rows.get(&entry.id), graves.get(&entry.id));
        }
        if node.facts.seated > 0 {
            let seated = app.store.workload_on_node(&[node.facts.id]).await?;
            ledger.strays.extend(missing(entries, &seated));
        }
        Ok(ledger)
    }

    fn sort(&mut self, entry: &Entry, row: Option<&WorkloadRow>, grave: Option<&Tombstone>) {
        let Some(node) = self.node else { return };
        let facts = row.map(|row| &row.facts);
        if entry.state == SeenState::Absent && wants_forgotten(node, facts) {
            self.forget.push((entry.id, entry.generation));
            return;
        }
        let buried = grave.map(|grave| grave.generation);
        match claim(node, entry.generation, facts, buried) {
            Claim::Seated => self.seen.push(seen_entry(entry.clone())),
            Claim::Retire(generation) => {
                self.needed.extend(grave.map(|grave| grave.id));
                self.strays.push((entry.id, Stray::Retire(generation)));
            }
            Claim::Unclaimed => self.unknown.push(entry.id),
        }
    }

    async fn write(
        &mut self,
        app: &App,
        order: HeartbeatOrder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(node) = self.node else { return Ok(()) };
        let changed = app
            .store
            .workload_seen(now, node, &self.seen, Some(order))
            .await?;
        app.store.tombstone_needed(now, &self.needed).await?;
        let strays = app.strays.note(node, std::mem::take(&mut self.strays));
        if strays || !changed.is_empty() {
            app.passes.wake();
        }
        Ok(())
    }
}

/// Work that was seen on the node and is missing in its ledger.
fn missing<'a>(
    entries: &[Entry],
    seated: &'a [WorkloadRow],
) -> impl Iterator<Item = (WorkloadId, Stray)> + use<'a> {
    let listed = entries.iter().map(|entry| (entry.id, entry.generation));
    let listed: BTreeMap<WorkloadId, Generation> = listed.collect();
    seated
        .iter()
        .filter(move |row| is_missing(&row.facts, listed.get(&row.facts.id).copied()))
        .map(|row| (row.facts.id, Stray::Missing(row.facts.generation)))
}
