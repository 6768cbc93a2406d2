//! The keys of the inner server, kept in two files of its folder.
//!
//! With them the node mints a credential for each agent; the server needs to
//! be told of none, so that it can start again without us. They are synced to
//! disk: agents that outlive us hold credentials signed with them.

use std::path::Path;

use hostler_daemon::secret::load_or_make;
use hostler_wire::nats::server::Authority;

use super::InnerError;

/// The authority whose seeds are in this folder; made at first use.
pub(super) fn load(folder: &Path) -> Result<Authority, InnerError> {
    let fresh = Authority::new().seeds().map_err(InnerError::Crypto)?;
    let (operator, _) = load_or_make(&folder.join("operator.nk"), || fresh.0)?;
    let (account, _) = load_or_make(&folder.join("account.nk"), || fresh.1)?;
    Ok(Authority::from_seeds(&operator, &account)?)
}
