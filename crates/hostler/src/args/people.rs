//! Flags of the commands about people: signing in, users, roles, projects,
//! quotas, the audit log.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `hostler login`.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Your name; asked for if absent
    pub name: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Sign in at the identity provider, in a browser on this machine
    #[arg(long, conflicts_with_all = ["name", "password_stdin"])]
    pub sso: bool,
}

/// `hostler user`.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List users
    Ls,
    /// Make a user; their password is made too, and shown once
    Create {
        /// What they sign in with
        name: String,
        #[command(flatten)]
        given: Given,
        /// Read the password from standard input instead
        #[arg(long)]
        password_stdin: bool,
    },
    /// Change what a user has, or whether they may sign in
    Set {
        /// Their name or id
        user: String,
        #[command(flatten)]
        given: Given,
        /// Take all roles and policies that are not named here
        #[arg(long)]
        replace: bool,
        /// Let them sign in, or not
        #[arg(long, value_name = "BOOL")]
        disabled: Option<bool>,
    },
    /// Give a user a new password, shown once; all their sessions end
    Password {
        /// Their name or id
        user: String,
    },
    /// Delete a user with their sessions and tokens
    Rm {
        /// Their name or id
        user: String,
    },
}

/// What is given to a user.
#[derive(Debug, Default, Args)]
pub(crate) struct Given {
    /// A role, everywhere; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// A policy by itself; may be repeated
    #[arg(long = "policy", value_name = "POLICY")]
    pub policies: Vec<String>,
}

/// `hostler role`.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// List roles
    Ls,
    /// Make a role, or change what it allows to all who have it
    Set {
        /// Its name
        name: String,
        /// A policy it allows; may be repeated
        #[arg(long = "policy", value_name = "POLICY")]
        policies: Vec<String>,
        /// What it is for
        #[arg(long, default_value = "", value_name = "TEXT")]
        description: String,
    },
    /// Delete a role that nobody has
    Rm {
        /// Its name
        name: String,
    },
}

/// `hostler project`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// List projects
    Ls,
    /// Make a project
    Create {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long, default_value = "", value_name = "TEXT")]
        description: String,
    },
    /// Delete a project in which there is nothing
    Rm {
        /// Its name
        name: String,
    },
    /// List the members of a project
    Members {
        /// Its name
        name: String,
    },
    /// Make a user a member, or give them another role there
    Add {
        /// Its name
        name: String,
        /// The user
        user: String,
        /// Their role there
        #[arg(long, default_value = "user")]
        role: String,
    },
    /// End a membership
    Remove {
        /// Its name
        name: String,
        /// The user
        user: String,
    },
}

/// `hostler quota`.
#[derive(Debug, Subcommand)]
pub(crate) enum QuotaCommand {
    /// Show what each project may have, and what it has
    Ls,
    /// Set what a project may have; what is not named has no bound
    Set {
        /// The project
        project: String,
        #[command(flatten)]
        limits: Limits,
    },
}

/// The most that a project may have.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// Processor, such as 8 or 500m
    #[arg(long)]
    pub cpu: Option<hostler_core::Cpu>,
    /// Memory, such as 16GiB
    #[arg(long)]
    pub memory: Option<hostler_core::Bytes>,
    /// Disk, such as 1TiB
    #[arg(long)]
    pub disk: Option<hostler_core::Bytes>,
    /// VMs
    #[arg(long)]
    pub vms: Option<u64>,
    /// Workloads
    #[arg(long)]
    pub workloads: Option<u64>,
}

/// `hostler audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show what people changed; with --json one line for each entry
    Ls {
        /// Only this actor's
        #[arg(long, value_name = "NAME")]
        actor: Option<String>,
        /// Only what concerns this id
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// How many of the latest
        #[arg(long, default_value_t = 50, value_name = "N")]
        tail: u32,
        /// All of it, from the beginning
        #[arg(long, conflicts_with = "tail")]
        all: bool,
    },
    /// Read the whole log and say whether it is whole, or which entry is not
    Verify {
        /// A log that `audit ls --all --json` wrote, instead of the fleet's
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// The hash it was known to end with, or to hold
        #[arg(long, value_name = "HASH")]
        holds: Option<String>,
    },
}
