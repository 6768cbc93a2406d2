//! Sign-ins under way at an identity provider. Each is begun by one who keeps
//! a verifier, answered once by the provider under its state, and redeemed
//! once with a code that only the browser was given, and the verifier that
//! only whoever began it has.

mod row;

use hostler_core::Timestamp;
use hostler_core::id::UserId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::column::moment;
use crate::error::{During, corrupt};
use crate::secret::digest;
use crate::{By, Store, StoreError};
use row::{Column, Entity, Model};

/// A sign-in to be begun.
#[derive(Clone)]
pub struct NewSignIn {
    /// What the provider will send back; kept as a digest.
    pub state: String,
    /// What its token must carry.
    pub nonce: String,
    /// What proves to the provider that we began it; kept sealed.
    pub verifier: String,
    /// The digest of what proves to us who began it.
    pub challenge: String,
    /// Where the browser goes in the end.
    pub return_to: String,
    /// Until when all of it must be done.
    pub expires_at: Timestamp,
}

/// A sign-in under way.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInRow {
    /// What the provider's token must carry.
    pub nonce: String,
    /// What proves to the provider that we began it.
    pub verifier: String,
    /// Where the browser goes in the end.
    pub return_to: String,
}

/// What the verifier of a sign-in is sealed for.
fn place(state: &str) -> String {
    format!("sign-in:{state}")
}

impl Store {
    /// Writes a sign-in down.
    pub async fn sign_in_begin(&self, by: &By<'_>, new: NewSignIn) -> Result<(), StoreError> {
        let state = digest(&new.state);
        let verifier = self.inner.key.seal(&place(&state), new.verifier.as_bytes());
        let row = Model {
            state,
            nonce: new.nonce,
            verifier: verifier.map_err(StoreError::from)?,
            challenge: new.challenge,
            return_to: new.return_to,
            code: None,
            account: None,
            expires_at: moment(new.expires_at),
        };
        let tx = self.begin(by).await?;
        let insert = Entity::insert(row.into_active_model());
        let made = insert.exec_without_returning(tx.db()).await;
        made.during("beginning a sign-in")?;
        tx.commit().await
    }

    /// The sign-in that the provider answers under this state, once: from then
    /// on only `code` leads to it. Of two answers one finds it.
    pub async fn sign_in_answered(
        &self,
        by: &By<'_>,
        state: &str,
        code: &str,
    ) -> Result<Option<SignInRow>, StoreError> {
        let tx = self.begin(by).await?;
        let answered = Entity::update_many()
            .col_expr(Column::Code, Expr::value(digest(code)))
            .filter(Column::State.eq(digest(state)))
            .filter(Column::Code.is_null())
            .filter(Column::ExpiresAt.gt(moment(by.now)));
        let rows = answered.exec_with_returning(tx.db()).await;
        let row = rows.during("answering a sign-in")?.into_iter().next();
        tx.commit().await?;
        row.map(|row| self.sign_in_opened(row)).transpose()
    }

    fn sign_in_opened(&self, row: Model) -> Result<SignInRow, StoreError> {
        let verifier = self.inner.key.open(&place(&row.state), &row.verifier)?;
        let verifier = String::from_utf8(verifier);
        Ok(SignInRow {
            nonce: row.nonce,
            verifier: verifier.map_err(|error| corrupt("verifier", &error))?,
            return_to: row.return_to,
        })
    }

    /// Writes down who it is.
    pub async fn sign_in_proven(
        &self,
        by: &By<'_>,
        state: &str,
        user: UserId,
    ) -> Result<(), StoreError> {
        let tx = self.begin(by).await?;
        let proven = Entity::update_many()
            .col_expr(Column::Account, Expr::value(user.uuid()))
            .filter(Column::State.eq(digest(state)));
        proven.exec(tx.db()).await.during("ending a sign-in")?;
        tx.commit().await
    }

    /// Who signed in, once, to whoever has both the code and the challenge.
    pub async fn sign_in_redeem(
        &self,
        by: &By<'_>,
        code: &str,
        challenge: &str,
    ) -> Result<Option<UserId>, StoreError> {
        let tx = self.begin(by).await?;
        let redeemed = Entity::delete_many()
            .filter(Column::Code.eq(digest(code)))
            .filter(Column::Challenge.eq(challenge))
            .filter(Column::Account.is_not_null())
            .filter(Column::ExpiresAt.gt(moment(by.now)));
        let rows = redeemed.exec_with_returning(tx.db()).await;
        let row = rows.during("redeeming a sign-in")?.into_iter().next();
        tx.commit().await?;
        Ok(row.and_then(|row| row.account).map(UserId::from_uuid))
    }

    /// Forgets sign-ins that were never ended; how many.
    pub async fn sign_in_sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let tx = self.begin(&By::new("hostler", now)).await?;
        let old = Entity::delete_many().filter(Column::ExpiresAt.lte(moment(now)));
        let swept = old.exec(tx.db()).await.during("sweeping sign-ins")?;
        tx.commit().await?;
        Ok(swept.rows_affected)
    }
}
