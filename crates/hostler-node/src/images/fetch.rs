//! One image from the control plane into a file: gone on with where it was cut
//! off, read once more in whole for its digest, looked into, and only then good.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::HEXLOWER;
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{ImageSource, inspect};
use crate::hypervisor::machines::MachineError;
use crate::report::report;

/// How long the control plane may be silent in the middle of an image.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that a fetch leaves free.
const MARGIN: u64 = 64 << 20;

/// An image that is to be had.
pub(super) struct Wanted<'a> {
    pub(super) digest: &'a str,
    pub(super) bytes: u64,
    pub(super) format: &'a str,
    pub(super) part: PathBuf,
}

/// Refuses to begin what cannot end.
pub(super) fn room(folder: &Path, wanted: &Wanted<'_>) -> Result<(), MachineError> {
    let have = std::fs::metadata(&wanted.part).map_or(0, |meta| meta.len());
    let needed = wanted.bytes.saturating_sub(have).saturating_add(MARGIN);
    let free = rustix::fs::statvfs(folder)
        .map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    if needed > free {
        let text = format!(
            "no room for an image of {} bytes: {free} bytes are free, and {MARGIN} stay so",
            wanted.bytes
        );
        return Err(MachineError::Away(text));
    }
    Ok(())
}

/// Fetches it into `wanted.part`; good when this returns `Ok`. What is wrong
/// for good is removed.
pub(super) async fn fetch(
    source: &ImageSource,
    wanted: &Wanted<'_>,
    done: &AtomicU64,
) -> Result<(), MachineError> {
    bytes_fetch(source, wanted, done).await?;
    let checked = check(wanted).await;
    if checked.as_ref().is_err_and(MachineError::is_final) {
        std::fs::remove_file(&wanted.part).ok();
    }
    checked
}

async fn bytes_fetch(
    source: &ImageSource,
    wanted: &Wanted<'_>,
    done: &AtomicU64,
) -> Result<(), MachineError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    let opened = options.open(&wanted.part).await;
    let mut file = opened.map_err(|error| failed("open the image", &error))?;
    let meta = file.metadata().await;
    let mut have = meta
        .map_err(|error| failed("open the image", &error))?
        .len();
    if have > wanted.bytes {
        empty(&file, &mut have).await?;
    }
    done.store(have, Ordering::Relaxed);
    if have == wanted.bytes {
        return Ok(());
    }
    let (is_part, mut pieces) = ask(source, wanted.digest, have).await?;
    if !is_part {
        empty(&file, &mut have).await?;
    }
    have = keep(&mut file, &mut pieces, (wanted, have, done)).await?;
    file.flush()
        .await
        .map_err(|error| failed("write the image", &error))?;
    file.sync_data()
        .await
        .map_err(|error| failed("write the image", &error))?;
    if have < wanted.bytes {
        return Err(MachineError::Away(
            "the line was cut within the image".into(),
        ));
    }
    Ok(())
}

/// Writes what comes behind the `have` bytes that are there; how many there are
/// then.
async fn keep(
    file: &mut File,
    pieces: &mut hostler_wire::client::ByteStream,
    (wanted, mut have, done): (&Wanted<'_>, u64, &AtomicU64),
) -> Result<u64, MachineError> {
    loop {
        let piece = tokio::time::timeout(PATIENCE, pieces.next()).await;
        let silent = |_| MachineError::Away("the control plane fell silent".into());
        let Some(piece) = piece.map_err(silent)? else {
            break;
        };
        let piece = piece.map_err(|error| MachineError::Away(report(&error).to_string()))?;
        have += piece.len() as u64;
        if have > wanted.bytes {
            std::fs::remove_file(&wanted.part).ok();
            let text = format!(
                "the image has more than the {} bytes promised",
                wanted.bytes
            );
            return Err(MachineError::Refused(text));
        }
        let written = file.write_all(&piece).await;
        written.map_err(|error| failed("write the image", &error))?;
        done.store(have, Ordering::Relaxed);
    }
    Ok(have)
}

async fn empty(file: &File, have: &mut u64) -> Result<(), MachineError> {
    *have = 0;
    let emptied = file.set_len(0).await;
    emptied.map_err(|error| failed("write the image", &error))
}

async fn ask(
    source: &ImageSource,
    digest: &str,
    from: u64,
) -> Result<(bool, hostler_wire::client::ByteStream), MachineError> {
    let key = source.key.borrow().clone();
    let (Some(control), Some(key)) = (&source.control, key) else {
        let text = "this node has no control plane to fetch images from";
        return Err(MachineError::Refused(text.into()));
    };
    let asked = control.node_artifact_from(key.expose(), digest, from);
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    let late = |_| MachineError::Away("the control plane does not answer".into());
    answer.map_err(late)?.map_err(|error| {
        // A proxy's 404 has no envelope and says nothing about images.
        let known = error.body().is_some_and(|body| body.code != "unknown");
        if known && error.is_not_found() {
            MachineError::Refused(format!("the control plane has no image {digest}"))
        } else {
            MachineError::Away(report(&error).to_string())
        }
    })
}

async fn check(wanted: &Wanted<'_>) -> Result<(), MachineError> {
    let found = digest_of(&wanted.part).await;
    let found = found.map_err(|error| failed("read the image", &error))?;
    if found != wanted.digest {
        let text = format!("the image has digest {found}, not {}", wanted.digest);
        return Err(MachineError::Refused(text));
    }
    inspect::inspect(&wanted.part, wanted.format)
        .await
        .map(drop)
}

async fn digest_of(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path).await?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).await?;
        if count == 0 {
            return Ok(HEXLOWER.encode(&hash.finalize()));
        }
        hash.update(&buffer[..count]);
    }
}

/// A full disk or a bad one says nothing of the image.
pub(super) fn failed(doing: &str, error: &std::io::Error) -> MachineError {
    MachineError::Away(format!("could not {doing}: {error}"))
}
