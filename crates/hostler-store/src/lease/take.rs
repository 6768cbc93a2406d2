//! Taking, keeping and giving back a lease. No events: a lease changes no
//! fact about the fleet, and is renewed all the time.

use std::time::Duration;

use hostler_core::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, sea_query::Expr};

use super::Fence;
use super::row::{Column, Entity};
use crate::column::{moment, signed, unsigned};
use crate::error::During;
use crate::{By, Store, StoreError};

/// One statement, so that of several takers one wins.
const TAKE: &str = "INSERT INTO lease (name, holder, number, until) VALUES ($1, $2, 1, $3) \
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, \
     number = CASE WHEN lease.holder = excluded.holder \
     THEN lease.number ELSE lease.number + 1 END \
     WHERE lease.holder = excluded.holder OR lease.until <= $4 RETURNING number";

impl Store {
    /// Takes the lease `name` for `ttl`, if it is free, has run out, or is the
    /// holder's own. Every process must call itself by another name than any
    /// other ever did, itself before a restart included.
    pub async fn lease_take(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let tx = self.begin(&By::new(holder, now)).await?;
        let values = [
            name.into(),
            holder.into(),
            moment(now + ttl).into(),
            moment(now).into(),
        ];
        let take = Statement::from_sql_and_values(tx.db().get_database_backend(), TAKE, values);
        let taken = tx.db().query_one_raw(take).await.during("taking a lease")?;
        tx.commit().await?;
        let Some(taken) = taken else { return Ok(None) };
        let number: i64 = taken.try_get_by_index(0).during("taking a lease")?;
        Ok(Some(Fence {
            name: name.to_owned(),
            number: unsigned(number),
        }))
    }

    /// Keeps a lease for `ttl` from `now`; whether it was still held.
    pub async fn lease_renew(
        &self,
        fence: &Fence,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        self.lease_until(fence, now, now + ttl).await
    }

    /// Gives a lease back; nothing when somebody else has it by now.
    pub async fn lease_release(&self, fence: &Fence, now: Timestamp) -> Result<(), StoreError> {
        self.lease_until(fence, now, now).await.map(drop)
    }

    async fn lease_until(
        &self,
        fence: &Fence,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let tx = self.begin(&By::new("hostler", now)).await?;
        let held = Entity::update_many()
            .col_expr(Column::Until, Expr::value(moment(until)))
            .filter(Column::Name.eq(fence.name.as_str()))
            .filter(Column::Number.eq(signed(fence.number)));
        let held = held.exec(tx.db()).await.during("renewing a lease")?;
        tx.commit().await?;
        Ok(held.rows_affected == 1)
    }
}
