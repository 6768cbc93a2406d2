//! Bodies of the control plane's HTTP API. Requests refuse unknown fields, so
//! that a misspelt one is an error and not a silent default.

mod activity;
mod artifact;
mod audit;
mod error;
mod image;
mod info;
mod node;
mod operation;
mod project;
mod runner;
mod token;
mod user;
mod vm;
mod vm_parts;
mod workload;

pub use activity::{ActivityEntry, ActivityQuery};
pub use artifact::Artifact;
pub use audit::{AuditEntry, AuditQuery, AuditVerdict};
pub use error::ErrorBody;
pub use image::{Image, ImageCreate, ImageImport, ImageQuery};
pub use info::{Check, Health, Readiness, ServiceInfo};
pub use node::{
    JoinToken, JoinTokenCreate, JoinTokenCreated, Node, NodeNats, NodeNatsKey, NodeRegister,
    NodeRegistered, NodeUpdate,
};
pub use operation::{DrainRequest, Operation, OperationState};
pub use project::{Member, MemberSet, Project, ProjectCreate, ProjectUpdate, Quota, Usage};
pub use runner::{
    Reason, Runner, RunnerHost, RunnerJob, RunnerJobItem, RunnerPoolInfo, RunnerQuery,
    RunnerService, RunnersAdd, RunnersAdded, RunnersRemove, RunnersRemoved,
};
pub use token::{PolicyInfo, Token, TokenCreate, TokenCreated};
pub use user::{
    LoggedIn, Login, Me, Membership, Message, PasswordChange, PasswordReset, PasswordWasReset,
    Role, RoleSet, Session, Settings, SignInBegin, SignInBegun, SignInRedeem, User, UserCreate,
    UserCreated, UserPolicies, UserUpdate,
};
pub use vm::{Vm, VmCreate, VmDisk, VmDuplicate, VmNic, VmQuery, VmRename, VmSeenInfo, VmUpdate};
pub use vm_parts::{
    Share, ShareCreate, ShareCreated, Snapshot, SnapshotCreate, UnclaimedMachine, VmAdopt,
};
pub use workload::{
    Affinity, Explanation, LogLine, NodeVerdict, Page, PlacementRules, Resources, Seen, Spread,
    Workload, WorkloadCreate, WorkloadQuery,
};
