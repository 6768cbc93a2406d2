//! Users and their bearer tokens. A name is enough to be one; what a user may
//! do is said by bindings alone, but for `admin`, who is of `system:masters`.

use std::collections::BTreeMap;

use crate::refusal::Refusal;

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// By token.
#[derive(Debug, Default)]
pub(crate) struct Users(BTreeMap<String, User>);

impl Users {
    /// The token of a user, who is made when there is none of this name.
    pub(crate) fn token(&mut self, name: &str) -> String {
        let token = format!(
            "token-{}",
            data_encoding::BASE32_NOPAD.encode(name.as_bytes())
        );
        self.0
            .entry(token.clone())
            .or_insert_with(|| User::named(name));
        token
    }

    /// Who sends this `Authorization` header, and perhaps asks to be taken for
    /// somebody else, which only `admin` may.
    pub(crate) fn of(&self, header: Option<&str>, acts_as: Option<&str>) -> Result<User, Refusal> {
        let Some(header) = header else {
            return Ok(User::anonymous());
        };
        let token = header.strip_prefix("Bearer ").unwrap_or_default();
        let found = self.0.get(token.trim());
        let user = found.cloned().ok_or_else(Refusal::unauthorized)?;
        match acts_as {
            None => Ok(user),
            Some(other) if user.is("Group", "", "system:masters") => Ok(User::named(other)),
            Some(other) => {
                let who = user.name;
                let message = format!(
                    "users \"{other}\" is forbidden: User \"{who}\" cannot impersonate resource \
                     \"users\" in API group \"\" at the cluster scope"
                );
                Err(Refusal::new(403, "Forbidden", message))
            }
        }
    }
}

impl User {
    fn anonymous() -> Self {
        Self {
            name: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
        }
    }

    fn named(name: &str) -> Self {
        let mut groups = vec!["system:authenticated".to_owned()];
        if name == "admin" {
            groups.push("system:masters".to_owned());
        }
        let account = name.strip_prefix("system:serviceaccount:");
        if let Some((space, _)) = account.and_then(|rest| rest.split_once(':')) {
            groups.push("system:serviceaccounts".to_owned());
            groups.push(format!("system:serviceaccounts:{space}"));
        }
        Self {
            name: name.to_owned(),
            groups,
        }
    }

    /// Whether a binding's subject means this user.
    pub(crate) fn is(&self, kind: &str, space: &str, name: &str) -> bool {
        match kind {
            "User" => self.name == name,
            "Group" => self.groups.iter().any(|group| group == name),
            "ServiceAccount" => self.name == format!("system:serviceaccount:{space}:{name}"),
            _ => false,
        }
    }
}
