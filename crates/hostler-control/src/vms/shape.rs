//! What of a VM's order no query asks for: one JSON column.

use hostler_core::vm::Firmware;
use hostler_store::VmRow;
use hostler_wire::convert::DEFAULT_STOP_MS;
use hostler_wire::node_api::{Disk, DiskSource, Nic};
use serde::{Deserialize, Serialize};

/// The rest of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) firmware: Firmware,
    pub(crate) root: DiskSource,
    pub(crate) disks: Vec<Disk>,
    pub(crate) nics: Vec<Nic>,
    pub(crate) autostart: bool,
    pub(crate) stop_deadline_ms: u64,
    /// Switched off at once, until it is started again.
    #[serde(default)]
    pub(crate) is_forced: bool,
    /// The image, as its owner reads it.
    #[serde(default)]
    pub(crate) os: Option<String>,
    #[serde(default)]
    pub(crate) keyboard: Option<String>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            firmware: Firmware::Bios,
            root: DiskSource::Blank,
            disks: Vec::new(),
            nics: Vec::new(),
            autostart: true,
            stop_deadline_ms: DEFAULT_STOP_MS,
            is_forced: false,
            os: None,
            keyboard: None,
        }
    }
}

impl Shape {
    /// The shape of a VM; what cannot be read any more is as small as can be.
    pub(crate) fn of(row: &VmRow) -> Self {
        serde_json::from_value(row.spec.shape.clone()).unwrap_or_default()
    }

    /// The digest of the image that its first disk needs.
    pub(crate) fn image_digest(&self) -> Option<&str> {
        match &self.root {
            DiskSource::Image { digest, .. } => Some(digest),
            DiskSource::Clone { .. } | DiskSource::Blank => None,
        }
    }

    /// As a column.
    pub(crate) fn value(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
