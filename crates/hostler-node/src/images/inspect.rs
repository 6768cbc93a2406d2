//! Looking into an image before anybody opens it for good: by reading its header
//! ourselves, as core says, and then by `qemu-img info` in a child with little time, memory and no way to write.
//!
//! An image comes from a stranger. One that names another file would show that
//! file of the host to its guest; one that says it is of another format than
//! promised is refused too, and so is a raw file that looks like anything else,
//! since whoever would open it without being told the format would believe it.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use hostler_core::vm::qcow2;
use serde::Deserialize;

use crate::hypervisor::machines::MachineError;
use crate::hypervisor::qemu_img::{self, Command};

/// The largest disk that an image may be of.
const LARGEST: u64 = 16 << 40;
const PATIENCE: Duration = Duration::from_secs(20);

/// What an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inspected {
    /// The size of its disk.
    pub(crate) virtual_size: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Info {
    virtual_size: u64,
    format: String,
    backing_filename: Option<String>,
    full_backing_filename: Option<String>,
    #[serde(default)]
    encrypted: bool,
    format_specific: Option<Specific>,
}

#[derive(Debug, Deserialize)]
struct Specific {
    data: Option<Qcow2>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Qcow2 {
    data_file: Option<String>,
    #[serde(default)]
    corrupt: bool,
}

/// What an image of this format is, if it may be used.
pub(crate) async fn inspect(path: &Path, format: &str) -> Result<Inspected, MachineError> {
    magic_check(path, format)?;
    let command = Command::new("info")
        .option("--output=json")
        .option("-f")
        .option(format)
        .file(path);
    let text = qemu_img::run(command, PATIENCE)
        .await
        .map_err(|error| match error {
            MachineError::Failed(text) => {
                MachineError::Refused(format!("the image cannot be understood: {text}"))
            }
            other => other,
        })?;
    let info: Info = serde_json::from_str(&text).map_err(|error| {
        MachineError::Refused(format!("the image cannot be understood: {error}"))
    })?;
    judge(&info, format)
}

/// The first bytes must be those of the format promised, before anything that
/// follows names reads the file.
fn magic_check(path: &Path, format: &str) -> Result<(), MachineError> {
    match format_of(path) {
        Some(found) if found == format => header_check(path, format),
        Some(found) => {
            let text = format!("the image is not of the format '{format}' but '{found}'");
            Err(MachineError::Refused(text))
        }
        None => Err(MachineError::Away("could not read the image".into())),
    }
}

/// The header as we read it ourselves: what it refuses, no other program sees.
fn header_check(path: &Path, format: &str) -> Result<(), MachineError> {
    if format != "qcow2" {
        return Ok(());
    }
    let read = || -> std::io::Result<_> {
        let file = std::fs::File::open(path)?;
        let (length, mut head) = (file.metadata()?.len(), Vec::new());
        file.take(qcow2::HEAD as u64).read_to_end(&mut head)?;
        Ok((head, length))
    };
    let (head, length) =
        read().map_err(|error| MachineError::Away(format!("could not read the image: {error}")))?;
    match qcow2::parse(&head, length) {
        Ok(_) => Ok(()),
        Err(error) => Err(MachineError::Refused(error.to_string())),
    }
}

/// The format that the first bytes of a file are of: what is not qcow2 is raw.
pub(super) fn format_of(path: &Path) -> Option<&'static str> {
    let mut head = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(4).read_to_end(&mut head).ok()?;
    Some(if head == *b"QFI\xfb" { "qcow2" } else { "raw" })
}

fn judge(info: &Info, format: &str) -> Result<Inspected, MachineError> {
    let specific = info.format_specific.as_ref();
    let qcow2 = specific.and_then(|specific| specific.data.as_ref());
    let backed = info.backing_filename.is_some() || info.full_backing_filename.is_some();
    let faults = [
        (
            info.format != format,
            "it is of another format than promised",
        ),
        (
            backed,
            "it is a layer over another file, which is not in it",
        ),
        (
            qcow2.is_some_and(|of| of.data_file.is_some()),
            "its data is in another file",
        ),
        (
            qcow2.is_some_and(|of| of.corrupt),
            "it is marked as corrupt",
        ),
        (info.encrypted, "it is encrypted"),
        (info.virtual_size == 0, "its disk is of no size"),
        (
            info.virtual_size > LARGEST,
            "its disk is larger than anybody's",
        ),
    ];
    match faults.into_iter().find(|(is_fault, _)| *is_fault) {
        Some((_, why)) => Err(MachineError::Refused(format!(
            "the image is refused: {why}"
        ))),
        None => Ok(Inspected {
            virtual_size: info.virtual_size,
        }),
    }
}
