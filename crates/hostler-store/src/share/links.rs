//! Making, finding and revoking shares.

use hostler_core::Timestamp;
use hostler_core::id::VmId;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::row::{Column, Entity, Model};
use super::{NewShare, ShareRow};
use crate::column::moment;
use crate::error::During;
use crate::secret::digest;
use crate::tx::event;
use crate::{By, Store, StoreError};

impl Store {
    /// Makes a share.
    pub async fn share_insert(&self, by: &By<'_>, new: NewShare) -> Result<ShareRow, StoreError> {
        let unix_ms = by.now.ms().max(0).unsigned_abs();
        let id = uuid::Builder::from_unix_timestamp_millis(unix_ms, &rand::random()).into_uuid();
        let row = Model {
            id,
            vm: new.vm.uuid(),
            name: new.name,
            project: new.project.into(),
            digest: digest(new.secret.expose()),
            created_at: moment(by.now),
            expires_at: moment(new.expires_at),
        };
        let mut tx = self.begin(by).await?;
        let insert = Entity::insert(row.clone().into_active_model());
        let written = insert.exec_without_returning(tx.db()).await;
        written.during("writing a share")?;
        let mut told = event("vm.shared", &new.vm, "its console was shared".to_owned());
        told.project = Some(row.project.clone());
        told.data = serde_json::json!({"share": id, "expires_at": row.expires_at});
        tx.note(told);
        tx.commit().await?;
        ShareRow::try_from(row)
    }

    /// The share with this secret, if it has not expired.
    pub async fn share_by_secret(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<ShareRow>, StoreError> {
        let found = Entity::find()
            .filter(Column::Digest.eq(digest(secret)))
            .filter(Column::ExpiresAt.gt(moment(now)));
        let row = found.one(self.db()).await.during("finding a share")?;
        row.map(ShareRow::try_from).transpose()
    }

    /// The shares of a VM, oldest first.
    pub async fn share_list(&self, vm: VmId) -> Result<Vec<ShareRow>, StoreError> {
        let chosen = Entity::find()
            .filter(Column::Vm.eq(vm.uuid()))
            .order_by_asc(Column::Id);
        let rows = chosen.all(self.db()).await.during("listing shares")?;
        rows.into_iter().map(ShareRow::try_from).collect()
    }

    /// Revokes a share of a VM; whether there was one.
    pub async fn share_delete(&self, by: &By<'_>, vm: VmId, id: Uuid) -> Result<bool, StoreError> {
        let mut tx = self.begin(by).await?;
        let chosen = Entity::find_by_id(id).filter(Column::Vm.eq(vm.uuid()));
        let found = chosen.one(tx.db()).await.during("reading a share")?;
        let Some(row) = found else {
            return Ok(false);
        };
        let deleted = Entity::delete_by_id(id).exec(tx.db()).await;
        deleted.during("revoking a share")?;
        let mut told = event("vm.unshared", &vm, "a share was revoked".to_owned());
        told.project = Some(row.project);
        told.data = serde_json::json!({"share": id});
        tx.note(told);
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets shares that expired before `before`; how many.
    pub async fn share_sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        let tx = self.begin(&By::new("hostler", before)).await?;
        let old = Entity::delete_many().filter(Column::ExpiresAt.lt(moment(before)));
        let swept = old.exec(tx.db()).await.during("sweeping shares")?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}
