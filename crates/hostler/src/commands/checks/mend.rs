//! What can be done about something that is missing. Nothing is done unasked,
//! and nothing is fetched from anywhere but the distribution's own packages and
//! a folder that was named.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// One thing that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mending {
    /// Install a package of the distribution.
    Install(&'static str),
    /// Write a file.
    Write { path: PathBuf, text: String },
    /// Copy a file from a folder that was named.
    Copy {
        folder: PathBuf,
        name: String,
        to: PathBuf,
        is_program: bool,
    },
}

impl fmt::Display for Mending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Install(package) => write!(f, "install the package {package}"),
            Self::Write { path, .. } => write!(f, "write {}", path.display()),
            Self::Copy { name, to, .. } => write!(f, "copy {name} to {}", to.display()),
        }
    }
}

impl Mending {
    /// Does it.
    pub(super) fn perform(&self) -> Result<()> {
        match self {
            Self::Install(package) => install(package),
            Self::Write { path, text } => put(path, text.as_bytes(), 0o644),
            Self::Copy {
                folder,
                name,
                to,
                is_program,
            } => {
                let bytes = checked(folder, name)?;
                put(to, &bytes, if *is_program { 0o755 } else { 0o644 })
            }
        }
        .with_context(|| format!("could not {self}"))
    }
}

fn install(package: &str) -> Result<()> {
    let status = Command::new("apt-get")
        .args(["install", "-y", "--no-install-recommends", package])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::process::Stdio::null())
        .status()?;
    ensure!(status.success(), "apt-get ended with {status}");
    Ok(())
}

/// Whole or not at all.
fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let folder = path.parent().context("it has no folder")?;
    std::fs::create_dir_all(folder)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut draft, bytes)?;
    let permissions = std::fs::Permissions::from_mode(mode);
    draft.as_file().set_permissions(permissions)?;
    draft.persist(path)?;
    Ok(())
}

const SUMS: &str = "SHA256SUMS";

/// The bytes of a file. A folder with sums vouches for each file in it that is
/// used; one without is believed, because somebody named it.
fn checked(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let bytes = std::fs::read(folder.join(name))?;
    let Ok(sums) = std::fs::read_to_string(folder.join(SUMS)) else {
        return Ok(bytes);
    };
    let sum = HEXLOWER.encode(&Sha256::digest(&bytes));
    let said = sums.lines().find_map(|line| {
        let (sum, file) = line.split_once(char::is_whitespace)?;
        let file = file.trim_start().trim_start_matches('*');
        (file.trim_start_matches("./") == name).then(|| sum.to_ascii_lowercase())
    });
    match said {
        Some(said) if said == sum => Ok(bytes),
        Some(said) => bail!("its SHA-256 is {sum}, and {SUMS} says {said}"),
        None => bail!("{SUMS} beside it does not name it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_copied_only_as_its_sum_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path();
        let to = here.join("new/bin/tool");
        let copy = Mending::Copy {
            folder: here.to_owned(),
            name: "tool".into(),
            to: to.clone(),
            is_program: true,
        };
        assert!(copy.perform().is_err(), "there is none");
        std::fs::write(here.join("tool"), "abc").expect("written");
        let sums = |text: &str| std::fs::write(here.join(SUMS), text).expect("written");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        sums(&format!("{}  tool\n", "0".repeat(64)));
        assert!(copy.perform().is_err(), "another sum");
        sums(&format!("{abc}  other\n"));
        assert!(copy.perform().is_err(), "not named");
        assert!(!to.exists());
        sums(&format!("{abc} *tool\n"));
        copy.perform().expect("copied");
        let mode = std::fs::metadata(&to).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(std::fs::read(&to).expect("read"), b"abc");
        std::fs::remove_file(here.join(SUMS)).expect("removed");
        copy.perform().expect("copied again, on its owner's word");
    }
}
