//! Making a pair. Everything is made in a draft folder in the place, and moved
//! there when it is whole; a build that was cut short leaves at most a draft, which
//! the next one removes.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{Archive, Written};
use super::run::output;
use super::{INITRAMFS, KERNEL, RECORD, Record, RootfsError, kernel, libraries, modules};

/// A kernel and the folder of its modules, as packages have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelFiles {
    /// `vmlinuz`
    pub kernel: PathBuf,
    /// `lib/modules/VERSION`
    pub modules: PathBuf,
}

impl KernelFiles {
    /// Those in a folder into which a kernel's package was unpacked.
    pub fn in_folder(folder: &Path) -> Result<Self, RootfsError> {
        kernel::found(folder)
    }
}

/// What to make.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The folder it is for.
    pub out: PathBuf,
    /// The agent's program.
    pub agent: PathBuf,
    /// The kernel; absent: the distribution's, which is downloaded.
    pub kernel: Option<KernelFiles>,
}

/// Where a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The kernel is being downloaded and unpacked.
    Kernel,
    /// The agent is made smaller.
    Agent,
    /// The first file system is being packed.
    Pack,
}

/// Folders on which the guest mounts something.
const MOUNTS: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/tmp"];

/// What programs look up.
const TEXTS: [(&str, &str); 4] = [
    ("/etc/passwd", "root:x:0:0:root:/:/bin/false\n"),
    ("/etc/group", "root:x:0:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
    (
        "/etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    ),
];

/// Makes a pair, and says where it is on the way. Blocks.
pub fn build(options: &BuildOptions, say: impl FnMut(Step)) -> Result<Record, RootfsError> {
    let file = RootfsError::file;
    fs::create_dir_all(&options.out).map_err(file(&options.out))?;
    // Tools run elsewhere.
    let out = fs::canonicalize(&options.out).map_err(file(&options.out))?;
    let draft = out.join("draft");
    remove(&draft)?;
    fs::create_dir(&draft).map_err(file(&draft))?;
    let made = make(options, &draft, say);
    let settled = made.and_then(|record| settle(&draft, &out).map(|()| record));
    remove(&draft)?;
    settled
}

/// Makes everything in the draft folder.
fn make(
    options: &BuildOptions,
    draft: &Path,
    mut say: impl FnMut(Step),
) -> Result<Record, RootfsError> {
    let files = if let Some(given) = &options.kernel {
        given.clone()
    } else {
        say(Step::Kernel);
        kernel::fetch(draft)?
    };
    say(Step::Agent);
    let agent = slim(&options.agent, draft);
    say(Step::Pack);
    let record = pack(draft, &agent, &files)?;
    copy(&files.kernel, &draft.join(KERNEL))?;
    Ok(record)
}

/// The agent without what only debuggers read, if there is a tool for that.
fn slim(agent: &Path, draft: &Path) -> PathBuf {
    let slim = draft.join("agent");
    let [from, to] = [agent, &slim].map(|path| path.to_string_lossy().into_owned());
    match output(Path::new("/"), "strip", &["-o", &to, &from]) {
        Ok(_) => slim,
        Err(error) => {
            tracing::debug!(%error, "the agent stays as large as it is");
            agent.to_path_buf()
        }
    }
}

fn pack(draft: &Path, agent: &Path, files: &KernelFiles) -> Result<Record, RootfsError> {
    let modules = modules::in_order(&files.modules)?;
    let libraries = libraries::of(agent)?;
    let mut archive = Archive::new(draft.join(INITRAMFS))?;
    for folder in MOUNTS {
        archive.folder(Path::new(folder))?;
    }
    for (path, text) in TEXTS {
        archive.text(Path::new(path), text)?;
    }
    let mut names = Vec::new();
    for module in &modules {
        let name = module.file_name().unwrap_or_default();
        archive.copy(module, &Path::new("/modules").join(name))?;
        names.push(name.to_string_lossy().into_owned());
    }
    archive.text(Path::new("/modules/order"), &names.join("\n"))?;
    for library in &libraries {
        archive.copy(library, library)?;
    }
    archive.copy(agent, Path::new("/init"))?;
    let Written { size, sha256 } = archive.finish()?;
    let version = files.modules.file_name().unwrap_or_default();
    let record = Record {
        kernel: version.to_string_lossy().into_owned(),
        version: crate::VERSION.to_owned(),
        size,
        sha256,
        modules: names,
        libraries,
    };
    let path = draft.join(RECORD);
    let text = serde_json::to_vec_pretty(&record)?;
    fs::write(&path, text).map_err(RootfsError::file(&path))?;
    Ok(record)
}

/// Moves what is whole into its place; the record last, without which there is
/// nothing.
fn settle(draft: &Path, out: &Path) -> Result<(), RootfsError> {
    for name in [KERNEL, INITRAMFS, RECORD] {
        let place = out.join(name);
        fs::rename(draft.join(name), &place).map_err(RootfsError::file(&place))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), RootfsError> {
    fs::copy(from, to)
        .map(drop)
        .map_err(RootfsError::file(from))
}

fn remove(folder: &Path) -> Result<(), RootfsError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RootfsError::file(folder)(error))
        }
        _ => Ok(()),
    }
}
