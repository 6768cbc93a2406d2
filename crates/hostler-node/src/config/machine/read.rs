//! From text to settings, with a remark for each key that is not followed.

use std::path::Path;

use hostler_wire::nats::go_json::{self, DecodeError};
use serde_json::{Map, Value};

use super::keys::{Standing, near, standing, unknown_weight};
use super::{MachineConfig, Remark};

/// A file that is none of the original's. The texts of both are the original's.
#[derive(Debug, thiserror::Error)]
pub enum MachineConfigError {
    /// It cannot be read.
    #[error("failed to load configuration file: open {path}: {}", reason(.cause))]
    File {
        /// Which.
        path: String,
        /// Why; in the text, so it is not a source as well.
        cause: std::io::Error,
    },
    /// It is not such a file.
    #[error("failed to load configuration file: {0}")]
    Content(DecodeError),
}

/// As Go's library says it, for what is said most.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

impl MachineConfig {
    /// The settings in a file, and what of it is not followed.
    pub fn load(path: &Path) -> Result<(Self, Vec<Remark>), MachineConfigError> {
        let bytes = std::fs::read(path).map_err(|cause| MachineConfigError::File {
            path: path.display().to_string(),
            cause,
        })?;
        Self::read(&bytes)
    }

    /// The settings in a text, and what of it is not followed.
    pub fn read(text: &[u8]) -> Result<(Self, Vec<Remark>), MachineConfigError> {
        let mut config: Self = go_json::from_slice(text).map_err(MachineConfigError::Content)?;
        let old = [config.kernel_path.take(), config.kernel_file.take()];
        config.kernel_filepath = old.into_iter().fold(config.kernel_filepath, Option::or);
        let old = [config.rootfs_path.take(), config.rootfs_file.take()];
        config.rootfs_filepath = old.into_iter().fold(config.rootfs_filepath, Option::or);
        let mut remarks = Vec::new();
        let whole = String::from_utf8_lossy(text);
        if let Ok(Value::Object(members)) = serde_json::from_str(&whole) {
            remark(&members, "", &mut remarks);
        }
        Ok((config, remarks))
    }
}

fn remark(members: &Map<String, Value>, within: &str, remarks: &mut Vec<Remark>) {
    for (key, value) in members {
        // Nothing was said with it.
        if value.is_null() {
            continue;
        }
        let key = format!("{within}{key}");
        match (standing(&key), value) {
            (Some(Standing::Object), Value::Object(inner)) => {
                remark(inner, &format!("{key}."), remarks);
            }
            // Another type than an object was refused before.
            (Some(Standing::Followed | Standing::Object), _) => {}
            (Some(Standing::Left(weight, why)), _) => remarks.push(Remark::new(&key, weight, why)),
            (None, _) => {
                let mut why = "no such key is known, here or to the original".to_owned();
                if let Some(near) = near(&key) {
                    why = format!("{why}; perhaps '{near}' is meant");
                }
                remarks.push(Remark::new(&key, unknown_weight(&key), why));
            }
        }
    }
}
