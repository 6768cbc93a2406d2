//! Disks as qcow2 files, each machine's in a folder of its own: `vms/{id}/` with
//! `{disk}.qcow2`, its seed, its sockets and logs.
//!
//! A disk is made under another name and renamed when it is whole and on disk.
//! What a look says is read from the files' own headers; no program is asked.
//!
//! What must never happen: half a disk under its name; a path out of the folder.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::id::VmId;

use super::machines::{DiskOrigin, DiskPlan, DiskSeen, Disks, Files, MachineError};
use super::qemu_img::{Command, run};

const SHORT: Duration = Duration::from_mins(1);
const COPY: Duration = Duration::from_hours(2);
const ENDING: &str = ".qcow2";
const MAKING: &str = ".making";

/// Disks below a folder.
#[derive(Clone, Debug)]
pub struct QemuDisks {
    folder: PathBuf,
}

impl QemuDisks {
    /// Disks below this folder, which is made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        Ok(Self { folder })
    }

    fn path(&self, vm: VmId, disk: &str) -> PathBuf {
        self.folder(vm).join(format!("{disk}{ENDING}"))
    }
}

#[async_trait]
impl Disks for QemuDisks {
    async fn make(&self, plan: &DiskPlan) -> Result<(), MachineError> {
        let path = self.path(plan.vm, &plan.name);
        if path.exists() {
            return Ok(());
        }
        let folder = self.folder(plan.vm);
        folder_make(&folder).map_err(|error| failed("make its folder", &error))?;
        let draft = folder.join(format!("{}{MAKING}", plan.name));
        fs::remove_file(&draft).ok();
        match &plan.origin {
            DiskOrigin::Blank => create(&draft, None, plan.bytes).await?,
            DiskOrigin::Image { path, format } => {
                create(&draft, Some((path, format)), plan.bytes).await?;
            }
            DiskOrigin::Copy { of } => copy(&self.path(*of, "root"), &draft).await?,
        }
        kept(draft, path).await
    }

    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError> {
        let path = self.path(vm, disk);
        let seen = disk_look(&path).map_err(|error| failed("read its disk", &error))?;
        if seen.0.bytes >= bytes {
            return Ok(());
        }
        let command = Command::new("resize").option("-f").option("qcow2");
        let command = command.file(&path).option(bytes.to_string());
        run(command, SHORT).await.map(drop)
    }

    async fn look(&self, vm: VmId) -> Result<Files, MachineError> {
        let folder = self.folder(vm);
        let looked = tokio::task::spawn_blocking(move || files(&folder)).await;
        let looked = looked.unwrap_or_else(|error| Err(io::Error::other(error)));
        looked.map_err(|error| failed("look at its files", &error))
    }

    async fn remove(&self, vm: VmId) -> Result<(), MachineError> {
        let folder = self.folder(vm);
        let removed = tokio::task::spawn_blocking(move || match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        });
        let removed = removed
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        removed.map_err(|error| failed("remove its files", &error))
    }

    fn folder(&self, vm: VmId) -> PathBuf {
        self.folder.join(vm.to_string())
    }
}

/// QEMU runs as another user, and must get through.
fn folder_make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
}

async fn create(
    draft: &Path,
    base: Option<(&PathBuf, &String)>,
    bytes: u64,
) -> Result<(), MachineError> {
    let mut command = Command::new("create")
        .option("-q")
        .option("-f")
        .option("qcow2");
    if let Some((image, format)) = base {
        if !image.is_file() {
            return Err(MachineError::Failed("its image is not here".into()));
        }
        let size = base_size(image, format).map_err(|error| failed("read its image", &error))?;
        if size > bytes {
            let text = format!("a disk of {bytes} bytes is smaller than its image of {size}");
            return Err(MachineError::Refused(text));
        }
        command = command.option("-F").option(format.clone());
        command = command.option("-b").option(image.clone().into_os_string());
    }
    let command = command.file(draft).option(bytes.to_string());
    run(command, SHORT).await.map(drop)
}

/// Whole, without what the original lies over.
async fn copy(original: &Path, draft: &Path) -> Result<(), MachineError> {
    if !original.is_file() {
        return Err(MachineError::Refused("there is no disk to copy".into()));
    }
    let command = Command::new("convert")
        .option("-q")
        .option("-f")
        .option("qcow2");
    let command = command.option("-O").option("qcow2");
    run(command.file(original).file(draft), COPY)
        .await
        .map(drop)
}

/// On disk under its name.
async fn kept(draft: PathBuf, path: PathBuf) -> Result<(), MachineError> {
    let kept = tokio::task::spawn_blocking(move || {
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, &path)?;
        path.parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    });
    let kept = kept
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
    kept.map_err(|error| failed("keep its disk", &error))
}

fn files(folder: &Path) -> io::Result<Files> {
    let mut files = Files::default();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        other => other?,
    };
    files.any = true;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(disk) = name.strip_suffix(ENDING) {
            let (seen, base) = disk_look(&entry.path())?;
            files.disks.insert(disk.to_owned(), seen);
            files.bases.extend(base);
        }
    }
    Ok(files)
}

/// Size, use and base of a qcow2 file that we made.
fn disk_look(path: &Path) -> io::Result<(DiskSeen, Option<String>)> {
    let mut file = File::open(path)?;
    let mut head = [0; 32];
    file.read_exact(&mut head)?;
    if !head.starts_with(b"QFI\xfb") {
        return Err(io::Error::other("a disk is not of qcow2 any more"));
    }
    let (at, length) = (number(&head[8..16]), number(&head[16..20]));
    let mut base = vec![0; usize::try_from(length.min(1_023)).unwrap_or_default()];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut base)?;
    let base = String::from_utf8_lossy(&base).into_owned();
    let name = Path::new(&base).file_name();
    let name = name.map(|name| name.to_string_lossy().into_owned());
    let seen = DiskSeen {
        bytes: number(&head[24..32]),
        used: file.metadata()?.blocks() * 512,
    };
    Ok((seen, name))
}

fn base_size(image: &Path, format: &str) -> io::Result<u64> {
    if format == "raw" {
        return Ok(fs::metadata(image)?.len());
    }
    Ok(disk_look(image)?.0.bytes)
}

/// Most significant byte first.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// A full disk or a bad one says nothing of the machine.
fn failed(doing: &str, error: &io::Error) -> MachineError {
    MachineError::Away(format!("could not {doing}: {error}"))
}
