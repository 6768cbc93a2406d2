//! What a secret proves: a session its user, a token its owner within what the
//! token was made for, a program's token just that. A user who may not sign in
//! is proven by nothing.

use std::time::Duration;

use hostler_core::Name;
use hostler_core::access::{PolicySet, Rights, is_expired, session_end};
use hostler_core::id::UserId;
use hostler_store::{SessionRow, StoreError, TokenRow, UserRow};

use super::User;
use crate::state::App;

/// Sessions begin so, and nothing else does.
pub(crate) const SESSION: &str = "hs_";

/// The use of a session is written down this often.
const NOTED: Duration = Duration::from_mins(1);

/// Who this secret proves its bearer to be, now.
pub(super) async fn look(app: &App, secret: &str) -> Result<Option<User>, StoreError> {
    if secret.starts_with(SESSION) {
        return session(app, secret).await;
    }
    match app.store.token_by_secret(secret, app.now()).await? {
        Some(row) => token(app, row).await,
        None => Ok(None),
    }
}

async fn token(app: &App, row: TokenRow) -> Result<Option<User>, StoreError> {
    let scope = scope(row.project.clone(), &row.policies);
    let Some(owner) = row.owner else {
        let name = row.name.clone();
        return Ok(Some(User::of_token(&row, name, scope)));
    };
    let found = rights_of(app, owner).await?;
    Ok(found.map(|(user, rights)| {
        let name = format!("{}/{}", user.name, row.name);
        User::of_token(&row, name, rights.within(&scope))
    }))
}

/// A word that this version does not know as a policy allows nothing.
fn scope(project: Option<Name>, words: &[String]) -> Rights {
    let policies: PolicySet = words.iter().filter_map(|word| word.parse().ok()).collect();
    Rights::of(project, policies)
}

async fn session(app: &App, secret: &str) -> Result<Option<User>, StoreError> {
    let now = app.now();
    let Some(row) = app.store.session_by_secret(secret, now).await? else {
        return Ok(None);
    };
    let end = end(app, &row);
    if is_expired(Some(end), now) {
        return Ok(None);
    }
    let found = rights_of(app, row.user).await?;
    if found.is_some() && now.since(row.last_used) >= NOTED {
        app.store.session_used(&row, now).await?;
    }
    Ok(found.map(|(user, rights)| User::of_session(row.id, end, &user, rights)))
}

fn end(app: &App, row: &SessionRow) -> hostler_core::Timestamp {
    session_end(row.expires_at, row.last_used, app.sessions.idle)
}

/// Whether what proved this user still does. For answers without an end.
pub(crate) async fn still_holds(app: &App, user: &User) -> Result<bool, StoreError> {
    let now = app.now();
    let holds = if let Some(id) = user.session {
        let row = app.store.session_get(id).await?;
        row.is_some_and(|row| !is_expired(Some(end(app, &row)), now))
    } else {
        let row = app.store.token_get(user.token).await?;
        row.is_some_and(|row| !is_expired(row.expires_at, now))
    };
    let Some(id) = user.id.filter(|_| holds) else {
        return Ok(holds);
    };
    Ok(rights_of(app, id).await?.is_some())
}

/// A user who may sign in, and what they may do now.
pub(crate) async fn rights_of(
    app: &App,
    id: UserId,
) -> Result<Option<(UserRow, Rights)>, StoreError> {
    let Some(user) = app.store.user_get(id).await? else {
        return Ok(None);
    };
    if user.disabled {
        return Ok(None);
    }
    let rights = user.grants.rights(&app.store.role_book().await?);
    Ok(Some((user, rights)))
}
