//! The first token: its secret comes from the configuration, so a start with
//! the same secret changes nothing, and one with another replaces it.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::list::{delete, insert};
use super::row::{Column, Entity};
use super::{NewToken, TokenRow};
use crate::column::json;
use crate::error::During;
use crate::secret::digest;
use crate::{By, Secret, Store, StoreError};

impl Store {
    /// Makes sure that `secret` is the bootstrap token's, that it has these
    /// policies in the whole fleet, and that no earlier one works any more.
    pub async fn bootstrap_admin(
        &self,
        by: &By<'_>,
        secret: &str,
        policies: Vec<String>,
    ) -> Result<TokenRow, StoreError> {
        let mut tx = self.begin(by).await?;
        let known = Entity::find()
            .filter(Column::Bootstrap.eq(true))
            .all(tx.db())
            .await;
        let mut right = None;
        for row in known.during("reading the bootstrap token")? {
            if row.digest == digest(secret) && row.policies == json(&policies) {
                right = Some(row);
            } else {
                delete(&mut tx, row).await?;
            }
        }
        let new = NewToken {
            name: "admin".to_owned(),
            project: None,
            policies,
            secret: Secret::new(secret),
            expires_at: None,
            owner: None,
        };
        let row = match right {
            Some(row) => row,
            None => insert(&mut tx, by.now, new, true).await?,
        };
        tx.commit().await?;
        TokenRow::try_from(row)
    }
}
