//! `hostler image`: disks are uploaded as artifacts, and then called images.
//! What is neither qcow2 nor raw is converted here, by the machine's own
//! qemu-img: a control plane never opens a stranger's format.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use data_encoding::HEXLOWER;
use futures::TryStreamExt as _;
use hostler_core::Bytes;
use hostler_core::vm::qcow2;
use hostler_wire::client::{Body, ControlClient};
use hostler_wire::rest::{Image, ImageCreate, ImageImport, ImageQuery};
use sha2::{Digest as _, Sha256};
use tokio_util::io::ReaderStream;

use crate::args::ImageCommand;
use crate::output::{self, Output, Progress, ago};

/// Bytes of one read.
const PIECE: usize = 256 << 10;

/// Performs `hostler image`.
pub(crate) async fn perform(
    command: ImageCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        ImageCommand::Add {
            file,
            name,
            project,
            user,
            arch,
            raw,
        } => {
            let (name, version) = names(&file, name.as_deref())?;
            let digest = upload((&file, raw), &project, client, output).await?;
            let body = ImageCreate {
                name,
                version,
                project: Some(project),
                digest,
                arch: Some(arch),
                default_user: user,
                file: file
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
                ..ImageCreate::default()
            };
            said(&client.image_create(&body).await?, output)
        }
        ImageCommand::Import {
            metadata,
            file,
            project,
        } => import((&metadata, file), project, client, output).await,
        ImageCommand::Ls { project } => list(project, client, output).await,
        ImageCommand::Rm { image, project } => {
            let query = ImageQuery {
                project: Some(project),
                name: None,
            };
            let mut images = client.images(&query).await?.into_iter();
            let meant = |known: &Image| title(known) == image || known.id.to_string() == image;
            let known = images
                .find(meant)
                .with_context(|| format!("there is no image '{image}'; name it NAME:VERSION"))?;
            client.image_delete(known.id).await?;
            output.line(&known, |known| format!("Removed {}", title(known)))
        }
    }
}

fn title(image: &Image) -> String {
    format!("{}:{}", image.name, image.version)
}

fn said(image: &Image, output: Output) -> Result<()> {
    output.line(image, |image| format!("{} ({})", title(image), image.id))
}

/// `NAME[:VERSION]`, or what the file is called.
fn names(file: &Path, given: Option<&str>) -> Result<(String, Option<String>)> {
    if let Some(given) = given {
        let (name, version) = match given.split_once(':') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (given, None),
        };
        return Ok((name.to_owned(), version));
    }
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.context("the file's name is no name for an image; give --name")?;
    Ok((stem.replace(['.', ' '], "-"), None))
}

async fn import(
    (metadata, file): (&Path, Option<PathBuf>),
    project: String,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let text = std::fs::read_to_string(metadata)
        .with_context(|| format!("could not read {}", metadata.display()))?;
    let beside = || {
        let line = text.lines().find_map(|line| line.strip_prefix("image:"))?;
        let name = line.trim().trim_matches(['"', '\'']);
        Some(metadata.with_file_name(Path::new(name).file_name()?))
    };
    let file = file
        .or_else(beside)
        .context("the metadata names no image; give --file")?;
    let digest = upload((&file, false), &project, client, output).await?;
    let body = ImageImport {
        metadata: text,
        digest,
        project: Some(project),
    };
    said(&client.image_import(&body).await?, output)
}

/// Uploads a disk, converted if it has to be; its digest.
async fn upload(
    (path, raw): (&Path, bool),
    project: &str,
    client: &ControlClient,
    output: Output,
) -> Result<String> {
    // It is as large as the disk: beside it, and gone with this folder.
    let beside = path
        .parent()
        .filter(|beside| !beside.as_os_str().is_empty());
    let folder = tempfile::TempDir::new_in(beside.unwrap_or(Path::new(".")))?;
    let (path, format) = match format(path, raw)? {
        Some(format) => (path.to_owned(), format),
        None => (convert(path, folder.path(), output)?, "qcow2"),
    };
    let progress = output.progress(format!("Reading {}", path.display()));
    let (digest, size) = digest(path.clone()).await?;
    if client.artifact(&digest, project).await.is_ok() {
        return Ok(digest);
    }
    let file = tokio::fs::File::open(&path).await?;
    let body = Body::wrap_stream(counted(file, size, progress));
    client.disk_put((&digest, format), project, body).await?;
    drop(folder);
    Ok(digest)
}

/// What a file is; `None` if it has to be converted.
fn format(path: &Path, raw: bool) -> Result<Option<&'static str>> {
    let failed = || format!("could not read {}", path.display());
    let mut file = File::open(path).with_context(failed)?;
    let length = file.metadata().with_context(failed)?.len();
    let mut head = Vec::new();
    file.by_ref()
        .take(qcow2::HEAD as u64)
        .read_to_end(&mut head)
        .with_context(failed)?;
    if raw {
        return Ok(Some("raw"));
    }
    if head.starts_with(&qcow2::MAGIC) {
        return match qcow2::parse(&head, length) {
            Ok(_) => Ok(Some("qcow2")),
            Err(error) => bail!(
                "{}: {error}. {}",
                path.display(),
                error.hint().unwrap_or_default()
            ),
        };
    }
    let boots = head.get(510..512) == Some(&[0x55, 0xaa]) && length.is_multiple_of(512);
    Ok(boots.then_some("raw"))
}

/// Converts a disk into a file of a folder of its own beside it.
fn convert(path: &Path, folder: &Path, output: Output) -> Result<PathBuf> {
    let _progress = output.progress(format!("Converting {}", path.display()));
    let made = folder.join("converted.qcow2");
    let mut command = Command::new("qemu-img");
    command
        .args(["convert", "-O", "qcow2"])
        .arg(path)
        .arg(&made);
    let done = command.output().with_context(|| {
        format!(
            "{} is neither qcow2 nor a raw disk, and qemu-img, which could convert it, is not \
             here; install qemu-utils, or say --raw",
            path.display()
        )
    })?;
    if !done.status.success() {
        bail!("qemu-img: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(made)
}

async fn digest(path: PathBuf) -> Result<(String, u64)> {
    let read = tokio::task::spawn_blocking(move || -> Result<(String, u64)> {
        let mut file = File::open(&path)?;
        let mut hash = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok((HEXLOWER.encode(&hash.finalize()), file.stream_position()?)),
                count => hash.update(&piece[..count]),
            }
        }
    });
    read.await?
}

/// A file as it is sent, with a sign of how far it is.
fn counted(
    file: tokio::fs::File,
    size: u64,
    progress: Progress,
) -> impl futures::TryStream<Ok = bytes::Bytes, Error = std::io::Error> + Send + 'static {
    let sent = Arc::new(AtomicU64::new(0));
    ReaderStream::with_capacity(file, PIECE).inspect_ok(move |piece| {
        let length = piece.len() as u64;
        let done = sent.fetch_add(length, Ordering::Relaxed) + length;
        let percent = u128::from(done) * 100 / u128::from(size.max(1));
        progress.say(format!("Uploading {percent} % of {}", Bytes::new(size)));
    })
}

async fn list(project: Option<String>, client: &ControlClient, output: Output) -> Result<()> {
    let query = ImageQuery {
        project,
        name: None,
    };
    let images = client.images(&query).await?;
    output.show(&images, |images| {
        let mut table = output::table(&[
            "name", "version", "project", "format", "disk", "size", "arch", "user", "age", "id",
        ]);
        for image in images {
            let user = image.default_user.clone();
            table.add_row([
                image.name.clone(),
                image.version.clone(),
                image.project.clone(),
                image.format.clone(),
                Bytes::new(image.virtual_size).to_string(),
                Bytes::new(image.bytes).to_string(),
                image.arch.clone(),
                user.unwrap_or_else(|| "-".to_owned()),
                ago(image.created_at, Utc::now()),
                image.id.to_string(),
            ]);
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_recognised_by_its_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("disk.img");
        let check = |bytes: &[u8], raw, expected| {
            std::fs::write(&file, bytes).expect("written");
            assert_eq!(format(&file, raw).expect("a format"), expected);
        };
        check(&qcow2::sample(Bytes::mib(1)), false, Some("qcow2"));
        let mut boots = vec![0; 1_024];
        boots[510..512].copy_from_slice(&[0x55, 0xaa]);
        check(&boots, false, Some("raw"));
        check(b"KDMV....", false, None);
        check(b"anything", true, Some("raw"));
        std::fs::write(&file, qcow2::MAGIC).expect("written");
        assert!(
            format(&file, false).is_err(),
            "a broken image is told before it is sent"
        );
    }

    #[test]
    fn an_image_is_called_as_said_or_as_its_file_is() {
        let file = Path::new("/tmp/debian-12.1.qcow2");
        let check = |given, name: &str, version: Option<&str>| {
            let (is, of) = names(file, given).expect("names");
            assert_eq!((is.as_str(), of.as_deref()), (name, version));
        };
        check(None, "debian-12-1", None);
        check(Some("debian"), "debian", None);
        check(Some("debian:12"), "debian", Some("12"));
    }
}
