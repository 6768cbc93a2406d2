//! The pass that makes VMs be as wanted, as [`super::Workloads`] does for
//! workloads: it reads nodes, then VMs, asks core for the one next step of
//! each, and carries it out. It empties the trash, too.

use std::collections::BTreeMap;

use hostler_core::id::{NodeId, VmId};
use hostler_core::placement::{Fleet, Overcommit};
use hostler_core::vm::{TRASH_KEPT, VmGoal, VmStep, vm_leaves_trash, vm_next_step};
use hostler_core::workload::SeatView;
use hostler_store::{
    By, ChangeOutcome, Fence, FencedError, Limits, NodeRow, SeatOutcome, StoreError, UnseatIf,
    VmChange, VmRow, VmSeat, VmUnseat,
};

use super::fleet::{PAGE, vm_fleet, vm_unit};
use super::lease::PassLease;
use super::{Outcome, Pass, PassError, Stray};
use crate::nodes::Order;
use crate::state::App;

/// The most reasons written in one run.
const REASONS: usize = 64;

/// The pass.
pub(crate) struct Vms {
    app: App,
    lease: PassLease,
}

/// The nodes, as they were when the pass began.
struct Views(BTreeMap<NodeId, (SeatView, NodeRow)>);

impl Views {
    fn of(app: &App, nodes: Vec<NodeRow>) -> Self {
        let now = app.now();
        let view = |row: NodeRow| {
            let view = SeatView::of(&row.facts, now, &app.timing);
            (row.facts.id, (view, row))
        };
        Self(nodes.into_iter().map(view).collect())
    }

    fn view(&self, node: NodeId) -> Option<SeatView> {
        self.0.get(&node).map(|(view, _)| *view)
    }

    fn rows(&self) -> impl Iterator<Item = &NodeRow> {
        self.0.values().map(|(_, row)| row)
    }

    fn limits(&self, app: &App, node: NodeId) -> Limits {
        let row = self.0.get(&node).map(|(_, row)| row);
        row.map(|row| limits_of(app, row)).unwrap_or_default()
    }
}

/// How far a node may be filled.
pub(crate) fn limits_of(app: &App, row: &NodeRow) -> Limits {
    let percent = Overcommit::of(&app.placing.overcommits, &row.facts.labels);
    Limits {
        cpu_percent: percent.cpu_percent,
        memory_percent: percent.memory_percent,
    }
}

impl Vms {
    pub(crate) const fn new(app: App) -> Self {
        Self {
            app,
            lease: PassLease::new("pass.vms"),
        }
    }

    async fn look(&self, views: &Views) -> Result<Vec<VmRow>, StoreError> {
        let mut rows: BTreeMap<VmId, VmRow> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.app.store.vm_unsettled(after, PAGE).await?;
            let full = page.len() as u64 == PAGE;
            after = page.last().map(|row| row.facts.id);
            rows.extend(page.into_iter().map(|row| (row.facts.id, row)));
            if !full {
                break;
            }
        }
        let lost = views.0.values().filter(|(view, _)| view.lost);
        let lost: Vec<_> = lost.map(|(_, row)| row.facts.id).collect();
        if !lost.is_empty() {
            for row in self.app.store.vm_on_node(&lost).await? {
                rows.entry(row.facts.id).or_insert(row);
            }
        }
        Ok(rows.into_values().collect())
    }

    /// Does the next step of every VM; how many there were to do.
    async fn carry_out(
        &self,
        views: &Views,
        rows: Vec<VmRow>,
        fence: &Fence,
    ) -> Result<usize, FencedError> {
        let mut done = 0;
        let mut queued = Vec::new();
        for row in rows {
            let view = row.facts.seat.and_then(|node| views.view(node));
            let step = vm_next_step(&row.facts, view);
            done += usize::from(!matches!(step, VmStep::Nothing | VmStep::Place));
            match step {
                VmStep::Nothing => {}
                VmStep::Place => queued.push(row),
                VmStep::Ensure(node) => self.order(node, row.facts.id, Order::Step),
                VmStep::Unseat(node) => self.unseat(view, &row, node, fence).await?,
                VmStep::Raise(to) => {
                    let step = (row.facts.generation, to);
                    let by = By::new("hostler", self.app.now());
                    let store = &self.app.store;
                    store.vm_raise(&by, row.facts.id, step, Some(fence)).await?;
                    self.app.passes.wake();
                }
                VmStep::Erase => self.erase(&row, fence).await?,
            }
        }
        metrics::gauge!("hostler_vms_queued").set(queued.len() as f64);
        if !queued.is_empty() {
            done += self.place(views, queued, fence).await?;
        }
        Ok(done)
    }

    fn order(&self, node: NodeId, vm: VmId, order: Order) {
        self.app.vm_calls.order(&self.app, node, vm, order);
    }

    async fn unseat(
        &self,
        view: Option<SeatView>,
        row: &VmRow,
        node: NodeId,
        fence: &Fence,
    ) -> Result<(), FencedError> {
        let by = By::new("hostler", self.app.now());
        // What was decided because of silence or absence is decided again in
        // the transaction.
        let (provided, why) = match view {
            None => (UnseatIf::Unregistered, "its node was unregistered"),
            Some(view) if view.lost => (
                UnseatIf::LeaseOver(by.now),
                "its node was silent until its lease ended",
            ),
            Some(_) => (UnseatIf::Anyhow, "its node has dropped it"),
        };
        let unseat = VmUnseat {
            vm: row.facts.id,
            expected: row.facts.generation,
            node,
            provided,
            why,
        };
        self.app.store.vm_unseat(&by, unseat, Some(fence)).await?;
        self.app.passes.wake();
        Ok(())
    }

    async fn erase(&self, row: &VmRow, fence: &Fence) -> Result<(), FencedError> {
        let by = By::new("hostler", self.app.now());
        let (id, expected) = (row.facts.id, row.facts.generation);
        let shares = self.app.store.share_list(id).await?;
        let erased = self
            .app
            .store
            .vm_erase(&by, id, expected, Some(fence))
            .await?;
        if erased == ChangeOutcome::Changed {
            for share in shares {
                self.app.consoles.cut(share.id);
            }
        }
        Ok(())
    }

    /// Seats for those that wait, who waited longest first; how many seats
    /// were asked for and reasons written.
    async fn place(
        &self,
        views: &Views,
        queued: Vec<VmRow>,
        fence: &Fence,
    ) -> Result<usize, FencedError> {
        let mut fleet = vm_fleet(&self.app, views.rows()).await?;
        let mut requests = Vec::new();
        let mut waiting = Vec::new();
        for row in queued {
            match choose(&mut fleet, &row) {
                Ok(node) => requests.push(VmSeat {
                    vm: row.facts.id,
                    expected: row.facts.generation,
                    node,
                    limits: views.limits(&self.app, node),
                }),
                Err(reason) => waiting.push((row, reason)),
            }
        }
        let by = By::new("hostler", self.app.now());
        let store = &self.app.store;
        let outcomes = store.vm_seat_many(&by, &requests, Some(fence)).await?;
        let seated = |outcome: &&SeatOutcome| matches!(outcome, SeatOutcome::Seated(_));
        let given = outcomes.iter().filter(seated).count();
        metrics::counter!("hostler_vm_seats_given_total").increment(given as u64);
        if !requests.is_empty() {
            // Each of them now wants an order, or another choice.
            self.app.passes.wake();
        }
        Ok(requests.len() + self.tell(&waiting).await?)
    }

    async fn tell(&self, waiting: &[(VmRow, String)]) -> Result<usize, StoreError> {
        let by = By::new("hostler", self.app.now());
        let changed = |(row, reason): &&(VmRow, String)| row.reason.as_ref() != Some(reason);
        let mut waiting: Vec<_> = waiting.iter().filter(changed).collect();
        waiting.sort_by_key(|(row, _)| row.reason.is_some());
        let mut written = 0;
        for (row, reason) in waiting.into_iter().take(REASONS) {
            self.app
                .store
                .vm_reason_set(&by, row.facts.id, reason)
                .await?;
            written += 1;
        }
        Ok(written)
    }

    /// Removes what lay in the trash for long enough.
    async fn empty_trash(&self) -> Result<usize, StoreError> {
        let now = self.app.now();
        let mut emptied = 0;
        for row in self.app.store.vm_trashed(now).await? {
            if vm_leaves_trash(&row.facts, TRASH_KEPT, now) {
                let change = VmChange {
                    kind: "deleted",
                    goal: Some(VmGoal::Gone),
                    ..VmChange::default()
                };
                let place = (row.facts.id, row.facts.generation);
                let by = By::new("hostler", now);
                self.app.store.vm_change(&by, place, change).await?;
                emptied += 1;
            }
        }
        Ok(emptied)
    }

    /// What heartbeats remarked about VMs.
    fn strays(&self) -> usize {
        let remarks = self.app.vm_strays.take();
        let count = remarks.len();
        for (node, id, stray) in remarks {
            let order = match stray {
                Stray::Retire(generation) => Order::Retire(generation),
                Stray::Missing(_) => Order::Again,
            };
            self.order(node, VmId::from_uuid(id.uuid()), order);
        }
        count
    }
}

/// Chooses a node for a VM and seats it there, in this fleet.
fn choose(fleet: &mut Fleet, row: &VmRow) -> Result<NodeId, String> {
    let unit = vm_unit(row);
    let node = fleet.place(&unit).map_err(|refusal| refusal.to_string())?;
    fleet.unit_seat(&unit, node);
    Ok(node)
}

impl Pass for Vms {
    const NAME: &'static str = "vms";
    const ON_WORK: bool = true;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let strays = self.strays();
        let lease = self.lease.take(&self.app).await;
        let Some(fence) = lease.map_err(PassError::at("taking the lease"))? else {
            return Ok(Outcome::Elsewhere);
        };
        let emptied = self.empty_trash().await;
        let emptied = emptied.map_err(PassError::at("emptying the trash"))?;
        let nodes = self.app.store.node_list().await;
        let nodes = nodes.map_err(PassError::at("reading nodes"))?;
        self.app.vm_calls.keep_only(&nodes);
        let views = Views::of(&self.app, nodes);
        let rows = self.look(&views).await;
        let rows = rows.map_err(PassError::at("reading VMs"))?;
        let done = self.carry_out(&views, rows, &fence).await;
        if let Err(FencedError::Fenced { .. }) = &done {
            self.lease.lose();
        }
        let done = done.map_err(PassError::at("carrying out steps"))?;
        Ok(Outcome::Did(strays + emptied + done))
    }

    async fn end(&mut self) {
        self.lease.give_back(&self.app).await;
    }
}
