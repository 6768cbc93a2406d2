//! Projects: whose work is whose, who is a member and in which role, and how
//! much there may be. A project that is named by new work and has no row gets
//! one; what there is of work is counted in the tables of work itself, so no
//! counter can differ from it.

mod change;
mod list;
mod members;
pub(crate) mod quota;
pub(crate) mod row;

use hostler_core::access::{Excess, Quota, UserName};
use hostler_core::id::UserId;
use hostler_core::{Name, Timestamp};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: String,
    /// How much there may be.
    pub quota: Quota,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why something is not made, or not changed: its project would have more than
/// it may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the quota of the project '{project}' is used up: {}", listed(.excesses))]
pub struct QuotaExceeded {
    /// The project.
    pub project: Name,
    /// All of which there would be too much.
    pub excesses: Vec<Excess>,
}

fn listed(excesses: &[Excess]) -> String {
    let texts: Vec<_> = excesses.iter().map(Excess::to_string).collect();
    texts.join("; ")
}

/// A project to be made.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: String,
    /// How much there may be.
    pub quota: Quota,
}

/// What to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// What it is for.
    pub description: Option<String>,
    /// How much there may be.
    pub quota: Option<Quota>,
}

/// A member of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: UserName,
    /// In which role.
    pub role: Name,
}
