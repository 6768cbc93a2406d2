//! What can go wrong in any operation of the store. An operation with
//! refusals of its own has its own enum, which carries this one.

use sea_orm::DbErr;

use crate::seal::SealError;

/// The database failed, or holds what nobody could have written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed while {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: DbErr,
    },
    /// A row holds a value that no version of this program writes.
    #[error("the database holds an impossible {what}: '{value}'")]
    Corrupt {
        /// What kind of value was expected.
        what: &'static str,
        /// What is there instead.
        value: String,
    },
    /// A sealed value cannot be opened.
    #[error("a sealed value cannot be read")]
    Sealed(#[from] SealError),
    /// The store was closed while the change was waiting for its turn.
    #[error("the store is closed")]
    Closed,
}

/// A change made under a lease: it is refused once somebody else has the lease.
#[derive(Debug, thiserror::Error)]
pub enum FencedError {
    /// The lease was taken by another holder since; nothing was changed.
    #[error("the lease '{lease}' has been taken over; nothing was changed")]
    Fenced {
        /// The lease's name.
        lease: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says what was being done when a database call failed.
pub(crate) trait During<T> {
    fn during(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, DbErr> {
    fn during(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Database { doing, source })
    }
}

/// A value that nobody could have written.
pub(crate) fn corrupt(what: &'static str, value: &impl ToString) -> StoreError {
    StoreError::Corrupt {
        what,
        value: value.to_string(),
    }
}
