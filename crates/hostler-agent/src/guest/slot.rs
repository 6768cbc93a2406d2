//! Learning which slot this is, from the monitor. Once it is known, the way to
//! it is closed: workloads may read `/sys`, and the credentials are the agent's.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use hostler_wire::agent::{AgentMetadata, GUEST_FILE, GuestMetadata, Message as _};
use rustix::system::{delete_module, sethostname};

use super::GuestError;

const FIRMWARE: &str = "/sys/firmware/qemu_fw_cfg/by_name";
const CREDENTIALS: &str = "/run/agent.creds";
/// `O_NONBLOCK`, which the kernel wants for unloading.
const AT_ONCE: i32 = 0o4000;

/// Who the agent is.
pub(super) fn learn() -> Result<AgentMetadata, GuestError> {
    let path = Path::new(FIRMWARE).join(GUEST_FILE).join("raw");
    let told = GuestMetadata::decode(&read(&path)?)?;
    let closed = delete_module(c"qemu_fw_cfg", AT_ONCE);
    closed.map_err(|error| file(&path)(error.into()))?;
    let credentials = Path::new(CREDENTIALS);
    secret_write(credentials, &told.credentials).map_err(file(credentials))?;
    let mut metadata = told.metadata;
    metadata.creds = Some(CREDENTIALS.to_owned());
    if !crate::metadata::is_word(&metadata.slot) {
        return Err(GuestError::Slot(metadata.slot));
    }
    if let Err(error) = sethostname(metadata.slot.as_bytes()) {
        tracing::warn!(%error, "the guest has no name of its own");
    }
    Ok(metadata)
}

/// A whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, GuestError> {
    fs::read(path).map_err(file(path))
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> GuestError {
    let path = path.to_path_buf();
    move |source| GuestError::File { path, source }
}

fn secret_write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
