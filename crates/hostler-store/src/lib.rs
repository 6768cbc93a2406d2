//! All SQL: core types go in and come out, rows stay in here. One set of
//! migrations and queries for SQLite and PostgreSQL.
//!
//! - [`Store`]: the way in; its methods are nouns first (`workload_seat`)
//! - `tx`: how a change is written, with its events, in one transaction
//! - `migration`: the schema
//! - a folder per resource: types and rules in its `mod.rs`, one file per verb
//!
//! What must never happen: a change without its event, an acknowledged change
//! that a crash takes back, a node filled beyond its limits, a secret in clear
//! in a column. No scheduling and no HTTP in here.

mod artifact;
mod audit;
mod by;
mod column;
mod error;
mod event;
mod guard;
mod image;
mod join_token;
mod lease;
mod migration;
mod node;
mod open;
mod operation;
mod project;
mod role;
mod rows;
mod runner;
mod seal;
mod secret;
mod session;
mod share;
mod sign_in;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

mod token;
mod tx;
mod user;
mod vm;
mod word;
mod workload;

pub use artifact::{ArtifactDeleted, ArtifactRow, NewArtifact};
pub use audit::{AuditEnd, AuditFilter, AuditNote, AuditRow};
pub use by::By;
pub use error::{FencedError, StoreError};
pub use event::{Change, Event, EventFilter, NewEvent};
pub use guard::AccessError;
pub use image::{ImageAbout, ImageDeleted, ImageInsertError, ImageRow, ImageSpec};
pub use join_token::{JoinTokenRow, NewJoinToken};
pub use lease::Fence;
pub use node::{
    HeartbeatOutcome, NewNode, NodeChange, NodeLeaveError, NodeRegisterError, NodeRegistration,
    NodeReport, NodeRow,
};
pub use open::OpenError;
pub use operation::{
    ClaimError, NewOperation, OperationClaim, OperationFilter, OperationInserted, OperationOutcome,
    OperationRow,
};
pub use project::{Member, NewProject, ProjectChange, ProjectRow, QuotaExceeded};
pub use role::RoleRow;
pub use runner::{JobConflict, PoolRow, Scaled, Scaling};
pub use seal::{KeyError, SealError, SealingKey};
pub use secret::Secret;
pub use session::{NewSession, SessionRow};
pub use share::{NewShare, ShareRow};
pub use sign_in::{NewSignIn, SignInRow};
pub use store::{Backend, Store};
pub use token::{NewToken, TokenRow};
pub use user::{Identity, NewUser, SignInOutcome, UserChange, UserRow};
pub use vm::{
    NewSnapshot, NewVm, SnapshotRow, SnapshotSeen, VmAdoption, VmChange, VmChanged, VmFilter,
    VmInsertError, VmInserted, VmRow, VmSeat, VmSeenEntry, VmSeenReport, VmSpec, VmUnseat,
};

pub use workload::{
    ChangeOutcome, HeartbeatOrder, IdempotencyKey, InsertError, Inserted, Limits, NewWorkload,
    SeatOutcome, SeatRequest, SeenEntry, SeenReport, Tombstone, Unseat, UnseatIf, WorkloadFilter,
    WorkloadRow, WorkloadSpec,
};
