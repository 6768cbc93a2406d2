//! The first file system as the kernel takes it: a `cpio` archive, whose entries
//! need nobody's permission to be made. Files are the superuser's in the guest,
//! whoever they belong to here.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use cpio::newc::{Builder, trailer};
use sha2::{Digest as _, Sha256};

use super::RootfsError;

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const TEXT: u32 = 0o100_644;

/// An archive being written.
pub(super) struct Archive {
    path: PathBuf,
    out: Counted,
    folders: BTreeSet<PathBuf>,
    entries: u32,
}

/// How large an archive is, and its SHA-256.
pub(super) struct Written {
    pub(super) size: u64,
    pub(super) sha256: String,
}

impl Archive {
    /// Begins one at this path.
    pub(super) fn new(path: PathBuf) -> Result<Self, RootfsError> {
        let file = File::create(&path).map_err(RootfsError::file(&path))?;
        Ok(Self {
            path,
            out: Counted {
                file: BufWriter::new(file),
                size: 0,
                hash: Sha256::new(),
            },
            folders: BTreeSet::new(),
            entries: 0,
        })
    }

    /// A folder, and those above it.
    pub(super) fn folder(&mut self, path: &Path) -> Result<(), RootfsError> {
        let mut above: Vec<&Path> = path.ancestors().collect();
        above.reverse();
        for folder in above {
            let inside = folder.strip_prefix("/").unwrap_or(folder);
            if inside.as_os_str().is_empty() || !self.folders.insert(inside.to_path_buf()) {
                continue;
            }
            self.entry(inside, FOLDER, &[])?;
        }
        Ok(())
    }

    /// A copy of a file of this machine.
    pub(super) fn copy(&mut self, from: &Path, to: &Path) -> Result<(), RootfsError> {
        let bytes = std::fs::read(from).map_err(RootfsError::file(from))?;
        self.file(to, PROGRAM, &bytes)
    }

    /// A text.
    pub(super) fn text(&mut self, to: &Path, text: &str) -> Result<(), RootfsError> {
        self.file(to, TEXT, text.as_bytes())
    }

    /// Ends it.
    pub(super) fn finish(mut self) -> Result<Written, RootfsError> {
        let ended = trailer(&mut self.out).and_then(Write::flush);
        ended.map_err(RootfsError::file(&self.path))?;
        Ok(Written {
            size: self.out.size,
            sha256: data_encoding::HEXLOWER.encode(&self.out.hash.finalize()),
        })
    }

    fn file(&mut self, to: &Path, mode: u32, bytes: &[u8]) -> Result<(), RootfsError> {
        self.folder(to.parent().unwrap_or(Path::new("")))?;
        self.entry(to.strip_prefix("/").unwrap_or(to), mode, bytes)
    }

    fn entry(&mut self, name: &Path, mode: u32, bytes: &[u8]) -> Result<(), RootfsError> {
        let size =
            u32::try_from(bytes.len()).map_err(|_| RootfsError::TooLarge(name.to_path_buf()))?;
        self.entries += 1;
        let links = if mode == FOLDER { 2 } else { 1 };
        let entry = Builder::new(&name.to_string_lossy())
            .ino(self.entries)
            .nlink(links)
            .mode(mode);
        let mut writer = entry.write(&mut self.out, size);
        let written = writer.write_all(bytes).and_then(|()| writer.finish());
        written.map(drop).map_err(RootfsError::file(&self.path))
    }
}

/// Counts and digests what is written.
struct Counted {
    file: BufWriter<File>,
    size: u64,
    hash: Sha256,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_reads_back_with_folders_before_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut archive = Archive::new(path.clone()).unwrap();
        archive.text(Path::new("/etc/x/y"), "text").unwrap();
        archive.text(Path::new("/etc/z"), "").unwrap();
        archive.folder(Path::new("/proc")).unwrap();
        let written = archive.finish().unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(written.size, bytes.len() as u64);
        assert_eq!(
            written.sha256,
            data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes))
        );
        let mut rest = &bytes[..];
        let mut found = Vec::new();
        loop {
            let reader = cpio::newc::Reader::new(rest).unwrap();
            let entry = reader.entry();
            if entry.is_trailer() {
                break;
            }
            found.push((entry.name().to_owned(), entry.mode(), entry.file_size()));
            rest = reader.finish().unwrap();
        }
        let expected = [
            ("etc", FOLDER, 0),
            ("etc/x", FOLDER, 0),
            ("etc/x/y", TEXT, 4),
            ("etc/z", TEXT, 0),
            ("proc", FOLDER, 0),
        ];
        let expected = expected.map(|(name, mode, size)| (name.to_owned(), mode, size));
        assert_eq!(found, expected);
    }
}
