//! What a machine was defined by, in a file beside its disks: for the day on
//! which the ledger is lost and the machine is not. It holds what its guest is
//! told, so nobody but this node reads it.
//!
//! What happens once (reboots, rollbacks) is left out: whoever orders the
//! machine by this file must not have it done again.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use hostler_wire::node_api::VmOrder;

use crate::hypervisor::machines::MachineError;

const FILE: &str = "order.json";

/// Writes it, whole or not at all. A machine without a folder has no file.
pub(super) async fn write(folder: &Path, order: &VmOrder) -> Result<(), MachineError> {
    let order = VmOrder {
        reboots: 0,
        rollback: None,
        ..order.clone()
    };
    let folder = folder.to_path_buf();
    let written = tokio::task::spawn_blocking(move || file_write(&folder, &order)).await;
    let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
    written.map_err(|error| MachineError::Away(format!("could not keep its order: {error}")))
}

fn file_write(folder: &Path, order: &VmOrder) -> io::Result<()> {
    if folder.as_os_str().is_empty() || !folder.is_dir() {
        return Ok(());
    }
    let (path, draft) = (folder.join(FILE), folder.join("order.draft"));
    let text = serde_json::to_vec(order)?;
    if std::fs::read(&path).is_ok_and(|held| held == text) {
        return Ok(());
    }
    let mut file = File::create(&draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)
}

/// What was written last, if that can be read.
pub(super) async fn read(folder: PathBuf) -> Option<VmOrder> {
    let read = move || serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok();
    tokio::task::spawn_blocking(read).await.ok()?
}

#[cfg(test)]
mod tests {
    use hostler_core::id::SnapshotId;
    use hostler_wire::node_api::Rollback;

    use super::super::testing::order;
    use super::*;

    #[tokio::test]
    async fn what_was_defined_is_read_back_without_what_happens_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(read(path.to_path_buf()).await, None);
        let mut ordered = order();
        ordered.reboots = 3;
        let to = SnapshotId::from_parts(1, [1; 10]);
        ordered.rollback = Some(Rollback { number: 2, to });
        write(path, &ordered).await.unwrap();
        assert_eq!(read(path.to_path_buf()).await, Some(order()));
        let mode = std::fs::metadata(path.join(FILE)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        std::fs::write(path.join(FILE), "{").unwrap();
        assert_eq!(read(path.to_path_buf()).await, None);
        assert!(write(&path.join("none"), &order()).await.is_ok());
    }
}
