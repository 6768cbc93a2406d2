//! What a guest is told at its first start, as cloud-init's `NoCloud` reads it:
//! a small FAT image with the label `CIDATA` and up to three files.
//!
//! The files are made by pure functions ([`text`]); the image holds nothing of
//! the host, not even the time.

mod image;
mod text;

use hostler_wire::node_api::Seed;

use crate::hypervisor::machines::{MachineError, MachineSpec};

/// The name of the image in a machine's folder.
pub(crate) const FILE: &str = "seed.img";

/// Makes the image of a machine, whole or not at all.
pub(crate) async fn write(spec: &MachineSpec, seed: &Seed) -> Result<(), MachineError> {
    if spec.folder.as_os_str().is_empty() || !spec.folder.is_dir() {
        return Ok(());
    }
    let files = text::files(&spec.vm.to_string(), seed);
    let (path, draft) = (spec.seed.clone(), spec.folder.join("seed.draft"));
    let written = tokio::task::spawn_blocking(move || {
        let image = image::make(&files)?;
        if std::fs::read(&path).is_ok_and(|held| held == image) {
            return Ok(());
        }
        std::fs::write(&draft, image)?;
        std::fs::rename(&draft, &path)
    });
    let written = written
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)));
    written.map_err(|error| MachineError::Away(format!("could not make its seed: {error}")))
}
