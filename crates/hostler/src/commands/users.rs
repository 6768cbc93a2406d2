//! `hostler user` and `hostler role`.

use anyhow::{Context as _, Result};
use hostler_core::id::UserId;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{PasswordReset, RoleSet, User, UserCreate, UserUpdate};

use super::login::password_from_stdin;
use crate::args::{Given, RoleCommand, UserCommand};
use crate::output::{self, Output};

/// Performs one of them.
pub(crate) async fn perform(
    command: UserCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        UserCommand::Ls => list(client, output).await,
        UserCommand::Create {
            name,
            given,
            password_stdin,
        } => {
            let password = password_stdin.then(password_from_stdin).transpose()?;
            create(client, output, (name, password), given).await
        }
        UserCommand::Set {
            user,
            given,
            replace,
            disabled,
        } => {
            let user = find(client, &user).await?;
            let update = update(&user, given, replace, disabled);
            let user = client.user_update(user.id, &update).await?;
            output.line(&user, |user| format!("{} has {}", user.user, has(user)))
        }
        UserCommand::Password { user } => {
            let user = find(client, &user).await?;
            let body = PasswordReset::default();
            let reset = client.user_password(user.id, &body).await?;
            output.line(&reset, |reset| {
                reset.generated_password.clone().unwrap_or_default()
            })
        }
        UserCommand::Rm { user } => {
            let user = find(client, &user).await?;
            Ok(client.user_delete(user.id).await?)
        }
    }
}

async fn create(
    client: &ControlClient,
    output: Output,
    (user, password): (String, Option<String>),
    given: Given,
) -> Result<()> {
    let body = UserCreate {
        user,
        password,
        policies: given.policies,
        roles: given.roles,
    };
    let made = client.user_create(&body).await?;
    if made.generated_password.is_some() {
        output.remark("their password, shown this once:");
    }
    output.line(&made, |made| {
        made.generated_password
            .clone()
            .unwrap_or_else(|| made.user.id.to_string())
    })
}

/// What is named is added, or is all that stays.
fn update(user: &User, given: Given, replace: bool, disabled: Option<bool>) -> UserUpdate {
    let had = user.policies.iter().map(|policy| policy.policy.clone());
    let all = |had: Vec<String>, given: Vec<String>| match (replace, given.is_empty()) {
        (true, _) => Some(given),
        (false, true) => None,
        (false, false) => Some(had.into_iter().chain(given).collect()),
    };
    UserUpdate {
        user: None,
        policies: all(had.collect(), given.policies),
        roles: all(user.roles.clone(), given.roles),
        disabled,
    }
}

async fn find(client: &ControlClient, text: &str) -> Result<User> {
    let id = text.parse::<UserId>().ok();
    let name = text.to_ascii_lowercase();
    let users = client.users().await?;
    let mut users = users.into_iter();
    let found = users.find(|user| Some(user.id) == id || user.user == name);
    found.with_context(|| format!("there is no user '{text}'"))
}

fn has(user: &User) -> String {
    let roles = user.roles.iter().cloned();
    let policies = user.policies.iter().map(|policy| policy.policy.clone());
    let places = user.projects.iter();
    let places = places.map(|place| format!("{} in {}", place.role, place.project));
    let all: Vec<_> = roles.chain(policies).chain(places).collect();
    if all.is_empty() {
        "nothing".to_owned()
    } else {
        all.join(", ")
    }
}

async fn list(client: &ControlClient, output: Output) -> Result<()> {
    let users = client.users().await?;
    output.show(&users, |users| {
        let now = chrono::Utc::now();
        let mut table = output::table(&["name", "has", "state", "active", "id"]);
        for user in users {
            let state = match (user.disabled, user.external) {
                (true, _) => "disabled",
                (false, true) => "provider",
                (false, false) => "password",
            };
            let active = user.last_activity.map(|at| output::ago(at, now));
            table.add_row([
                user.user.clone(),
                has(user),
                state.to_owned(),
                active.unwrap_or_else(|| "never".to_owned()),
                user.id.to_string(),
            ]);
        }
        table
    })
}

/// Performs one of the commands about roles.
pub(crate) async fn roles(
    command: RoleCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        RoleCommand::Ls => {
            let roles = client.roles().await?;
            output.show(&roles, |roles| {
                let mut table = output::table(&["name", "for", "policies"]);
                for role in roles {
                    let policies = role.policies.join(", ");
                    table.add_row([&role.name, &role.description, &policies]);
                }
                table
            })
        }
        RoleCommand::Set {
            name,
            policies,
            description,
        } => {
            let body = RoleSet {
                description,
                policies,
            };
            let role = client.role_set(&name, &body).await?;
            output.line(&role, |role| {
                format!("{} allows {}", role.name, role.policies.join(", "))
            })
        }
        RoleCommand::Rm { name } => Ok(client.role_delete(&name).await?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        let json = serde_json::json!({
            "id": uuid::Uuid::nil(), "user": "ada", "created_at": "2026-01-01T00:00:00Z",
            "created_by": "admin", "last_activity": null, "policies": [], "roles": ["viewer"],
            "projects": [], "disabled": false, "external": false, "is_admin": false
        });
        serde_json::from_value(json).expect("a user")
    }

    #[test]
    fn what_is_named_is_added_unless_it_replaces() {
        let check = |roles: &[&str], replace, expected: Option<&[&str]>| {
            let given = Given {
                roles: roles.iter().map(ToString::to_string).collect(),
                policies: Vec::new(),
            };
            let roles = update(&user(), given, replace, None).roles;
            let expected: Option<Vec<_>> =
                expected.map(|all| all.iter().map(ToString::to_string).collect());
            assert_eq!(roles, expected);
        };
        check(&[], false, None);
        check(&["user"], false, Some(&["viewer", "user"]));
        check(&["user"], true, Some(&["user"]));
        check(&[], true, Some(&[]));
    }
}
