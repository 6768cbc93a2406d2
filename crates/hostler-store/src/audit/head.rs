//! The head of the audit log: how many entries there are, and the last hash.
//! Advancing it locks it until the commit.

use hostler_core::audit::{AuditEntry, AuditHash};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, Statement, Value,
};

use super::{AuditEnd, AuditRow, row};
use crate::StoreError;
use crate::column::{signed, unsigned};
use crate::error::{During, corrupt};
use crate::rows::cut;

const ADVANCE: &str = "UPDATE audit_head SET number = number + $1 RETURNING number, hash";
const SEAL: &str = "UPDATE audit_head SET hash = $1";
const READ: &str = "SELECT number, hash FROM audit_head";

/// Writes the entries, in their order, whose numbers follow from the head.
pub(crate) async fn append(
    tx: &DatabaseTransaction,
    entries: Vec<AuditEntry>,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let count = entries.len() as u64;
    let last = end(tx, ADVANCE, [signed(count).into()]).await?;
    let mut hash = last.hash;
    let numbers = last.number - count + 1..;
    let linked = numbers.zip(entries).map(|(number, entry)| {
        let entry = AuditEntry { number, ..entry };
        hash = hash.then(&entry);
        AuditRow { entry, hash }
    });
    for rows in cut(linked.collect()) {
        let rows = rows.into_iter().map(row::Model::from);
        let insert = row::Entity::insert_many(rows.map(row::Model::into_active_model));
        insert
            .exec_without_returning(tx)
            .await
            .during("writing the audit log")?;
    }
    let values = [hash.to_string().into()];
    let seal = Statement::from_sql_and_values(tx.get_database_backend(), SEAL, values);
    let sealed = tx.execute_raw(seal).await;
    sealed.map(drop).during("sealing the audit log")
}

/// Where the log ends.
pub(super) async fn read(db: &impl ConnectionTrait) -> Result<AuditEnd, StoreError> {
    end(db, READ, []).await
}

async fn end<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<AuditEnd, StoreError> {
    let doing = "reading the end of the audit log";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let head = db.query_one_raw(statement).await.during(doing)?;
    let head = head.ok_or_else(|| corrupt("audit log", &"no head"))?;
    let number: i64 = head.try_get_by_index(0).during(doing)?;
    let hash: String = head.try_get_by_index(1).during(doing)?;
    let hash: AuditHash = hash.parse().map_err(|_| corrupt("hash", &hash))?;
    Ok(AuditEnd {
        number: unsigned(number),
        hash,
    })
}
