//! Making a row of a machine that is on its node already. It is seated where
//! it is, and what it takes there is counted whether or not there is room: the
//! machine was there before. Its project's quota binds as for every new VM.
//!
//! Its snapshots become rows, too: what no row names, its node would remove.

use std::collections::BTreeSet;

use hostler_core::Generation;
use hostler_core::id::{NodeId, SnapshotId, VmId};
use hostler_core::vm::SnapshotState;
use sea_orm::{EntityTrait, IntoActiveModel};

use super::insert::row_insert;
use super::row::snapshot;
use super::{NewVm, VmInsertError, VmRow, room};
use crate::column::{moment, signed};
use crate::error::During;
use crate::project::quota::Rooms;
use crate::tx::{Tx, event};
use crate::word::Word;
use crate::workload::row::tombstone;
use crate::{By, Store, StoreError};

/// A machine that becomes a VM.
#[derive(Clone, Debug)]
pub struct VmAdoption {
    /// Its id, as its node knows it.
    pub id: VmId,
    /// What it is.
    pub new: NewVm,
    /// The node it is on.
    pub node: NodeId,
    /// The generation it gets, above all that its node was told.
    pub generation: Generation,
    /// How often it was rebooted by order.
    pub reboots: u64,
    /// The newest rollback that its node was told of.
    pub rollback: Option<(u64, SnapshotId)>,
    /// Its snapshots, and whether each holds the guest's memory.
    pub snapshots: Vec<(SnapshotId, bool)>,
}

impl Store {
    /// Makes a VM of a machine that a node holds.
    pub async fn vm_adopt(
        &self,
        by: &By<'_>,
        adoption: VmAdoption,
    ) -> Result<VmRow, VmInsertError> {
        let (id, node) = (adoption.id, adoption.node);
        let spec = &adoption.new.spec;
        let (project, name) = (spec.project.clone(), spec.name.clone());
        let mut row = self.vm_draft(by.now, id, adoption.new)?;
        row.generation = signed(adoption.generation.number());
        row.seat = Some(node.uuid());
        row.reboots = signed(adoption.reboots);
        if let Some((number, to)) = adoption.rollback {
            row.rollback_number = signed(number);
            row.rollback_to = Some(to.uuid());
        }
        let adopted = VmRow::try_from(row.clone())?;
        let mut tx = self.begin(by).await?;
        let mut rooms = Rooms::of(tx.db(), BTreeSet::from([row.project.clone()]), by.now).await?;
        if !room::occupy(tx.db(), node, adopted.room()).await? {
            return Err(VmInsertError::NodeGone(node));
        }
        let mark = tombstone::Entity::find_by_id(row.id).one(tx.db()).await;
        if mark.during("looking for a tombstone")?.is_some() {
            return Err(VmInsertError::Erased(id));
        }
        if !row_insert(&tx, row).await? {
            return Err(VmInsertError::NameTaken { project, name });
        }
        rooms.take(&project, adopted.usage())?;
        snapshots(&tx, by, id, &adoption.snapshots).await?;
        note(&mut tx, &adopted, node);
        tx.commit().await?;
        Ok(adopted)
    }
}

/// Rows for what is there; how far each is, its node says next.
async fn snapshots(
    tx: &Tx<'_>,
    by: &By<'_>,
    vm: VmId,
    found: &[(SnapshotId, bool)],
) -> Result<(), StoreError> {
    for (number, (id, memory)) in (1..).zip(found) {
        let row = snapshot::Model {
            id: id.uuid(),
            vm: vm.uuid(),
            name: format!("adopted-{number}"),
            memory: *memory,
            wanted: true,
            state: SnapshotState::Taking.word().to_owned(),
            problem: None,
            taken_at: None,
            created_at: moment(by.now),
        };
        let insert = snapshot::Entity::insert(row.into_active_model());
        let written = insert.exec_without_returning(tx.db()).await;
        written.during("writing a snapshot")?;
    }
    Ok(())
}

fn note(tx: &mut Tx<'_>, row: &VmRow, node: NodeId) {
    let text = format!("VM {} was adopted where it was found", row.spec.name);
    let mut adopted = event("vm.adopted", &row.facts.id, text);
    adopted.project = Some(row.spec.project.to_string());
    let generation = row.facts.generation;
    adopted.data = serde_json::json!({"node": node, "generation": generation});
    tx.note(adopted);
}
