//! Somebody for whom an identity provider vouches: the user with that
//! identity, made at the first time, with the roles that the provider says,
//! every time. A user made here is never taken over by name.

use hostler_core::access::Grants;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::change::write;
use super::insert::insert;
use super::list::whole_one;
use super::row::{Column, Entity, Model};
use super::{NewUser, SignInOutcome, UserRow};
use crate::column::json;
use crate::error::During;
use crate::guard::Guard;
use crate::project::row::{Entity as Projects, member};
use crate::tx::{Tx, event};
use crate::{AccessError, By, Store, StoreError};

impl Store {
    /// The user of this identity, with exactly what `new` gives them.
    pub async fn user_vouched(
        &self,
        by: &By<'_>,
        new: NewUser,
    ) -> Result<SignInOutcome, AccessError> {
        let mut tx = self.begin(by).await?;
        let guard = Guard::take(&tx).await?;
        let known = find(&tx, &new).await?;
        if known.as_ref().is_some_and(|row| row.disabled) {
            return Ok(SignInOutcome::Disabled);
        }
        if known.is_none() && new.grants == Grants::default() {
            return Ok(SignInOutcome::Stranger);
        }
        let before = whole_one(tx.db(), known.clone()).await?;
        if let Some(user) = before.as_ref().filter(|user| user.grants == new.grants) {
            return Ok(SignInOutcome::User(user.clone()));
        }
        let grants = new.grants.clone();
        let user = match known {
            Some(row) => changed(&mut tx, row, &grants).await?,
            None => match insert(&mut tx, by, new).await {
                Err(AccessError::NameTaken { .. }) => return Ok(SignInOutcome::NameTaken),
                made => made?,
            },
        };
        let user = placed(&tx, user, &grants).await?;
        match guard.check(&tx).await {
            Err(AccessError::LastAdmin) => Ok(SignInOutcome::LastAdmin(before.unwrap_or(user))),
            checked => {
                checked?;
                tx.commit().await?;
                Ok(SignInOutcome::User(user))
            }
        }
    }
}

async fn find(tx: &Tx<'_>, new: &NewUser) -> Result<Option<Model>, StoreError> {
    let Some(identity) = &new.identity else {
        return Ok(None);
    };
    let row = Entity::find()
        .filter(Column::Issuer.eq(identity.issuer.as_str()))
        .filter(Column::Subject.eq(identity.subject.as_str()));
    row.one(tx.db()).await.during("reading a user")
}

async fn changed(tx: &mut Tx<'_>, mut row: Model, grants: &Grants) -> Result<UserRow, AccessError> {
    row.policies = json(&grants.policies);
    row.roles = json(&grants.roles);
    write(tx.db(), &row).await?;
    let text = format!("user {} was changed by their groups", row.name);
    let mut told = event("user.changed", &row.id, text);
    told.data = serde_json::json!({"roles": row.roles, "memberships": grants.memberships});
    tx.note(told);
    Ok(UserRow::try_from(row)?)
}

/// Makes them a member of exactly these projects, as far as those are there.
async fn placed(tx: &Tx<'_>, mut user: UserRow, grants: &Grants) -> Result<UserRow, StoreError> {
    let account = user.id.uuid();
    let before = member::Entity::delete_many().filter(member::Column::Account.eq(account));
    before.exec(tx.db()).await.during("deleting memberships")?;
    user.grants = Grants {
        memberships: Vec::new(),
        ..grants.clone()
    };
    for (project, role) in &grants.memberships {
        let there = Projects::find_by_id(project.to_string()).one(tx.db()).await;
        if there.during("reading a project")?.is_none() {
            continue;
        }
        let row = member::Model {
            project: project.to_string(),
            account,
            role: role.to_string(),
        };
        let once = OnConflict::new().do_nothing().to_owned();
        let insert = member::Entity::insert(row.into_active_model())
            .on_conflict(once)
            .try_insert();
        insert
            .exec_without_returning(tx.db())
            .await
            .during("making a member")?;
        user.grants
            .memberships
            .push((project.clone(), role.clone()));
    }
    Ok(user)
}
