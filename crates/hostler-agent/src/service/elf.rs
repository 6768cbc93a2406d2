//! Whether a file is a program that this machine can run without a loader
//! (protocol 2.7). The original looks for a loader only; a file that is cut
//! short or made for another machine would fail at its start, where nobody
//! can say why.

use std::fs::File;
use std::path::Path;

use object::elf::{ET_DYN, ET_EXEC, FileHeader64, Machine, PT_INTERP, PT_LOAD, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};
use object::{Endianness, FileKind};

#[cfg(target_arch = "x86_64")]
const MACHINE: Machine = object::elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: Machine = object::elf::EM_AARCH64;

/// Why a file cannot be a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ElfError {
    /// It is no program for this machine.
    #[error("failed to open source binary: {0}")]
    Unusable(String),
    /// It needs a loader.
    #[error(
        "file failed static link check: elf binary contains at least one dynamically linked dependency"
    )]
    Dynamic,
}

/// Checks a file. Reads its headers only.
pub(crate) fn check_file(path: &Path) -> Result<(), ElfError> {
    let file = File::open(path).map_err(|error| ElfError::Unusable(error.to_string()))?;
    check(&ReadCache::new(file))
}

fn check<'a>(data: impl ReadRef<'a>) -> Result<(), ElfError> {
    let unusable = |text: &str| Err(ElfError::Unusable(text.to_owned()));
    match FileKind::parse(data) {
        Ok(FileKind::Elf64) => {}
        Ok(FileKind::Elf32) => {
            return unusable("it is a 32-bit program, and this is a 64-bit machine");
        }
        _ if data.read_bytes_at(0, 4) == Ok(b"\x7fELF") => {
            return unusable("the file is truncated");
        }
        _ => return unusable("bad magic number, it is no ELF file"),
    }
    let broken = |error: object::Error| ElfError::Unusable(error.to_string());
    let header = FileHeader64::<Endianness>::parse(data).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    if header.e_machine(endian) != MACHINE {
        return unusable("it is a program for another kind of processor");
    }
    if ![ET_EXEC, ET_DYN].contains(&header.e_type(endian)) {
        return unusable("it is an ELF file, but no program");
    }
    let (Ok(segments), Ok(length)) = (header.program_headers(endian, data), data.len()) else {
        return unusable("the file is truncated");
    };
    let kind = |segment: &ProgramHeader64<Endianness>| segment.p_type(endian);
    if segments.iter().any(|segment| kind(segment) == PT_INTERP) {
        return Err(ElfError::Dynamic);
    }
    if segments.iter().all(|segment| kind(segment) != PT_LOAD) {
        return unusable("it has nothing to load");
    }
    let within = |segment: &ProgramHeader64<Endianness>| {
        let (offset, size) = segment.file_range(endian);
        offset.checked_add(size).is_some_and(|end| end <= length)
    };
    if segments
        .iter()
        .any(|segment| kind(segment) == PT_LOAD && !within(segment))
    {
        return unusable("the file is truncated");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    /// A static program of one segment that covers the file, for this machine.
    fn program() -> Vec<u8> {
        let mut bytes = vec![0; 256];
        put(&mut bytes, 0, b"\x7fELF\x02\x01\x01");
        put(&mut bytes, 16, &2_u16.to_le_bytes());
        put(&mut bytes, 18, &MACHINE.0.to_le_bytes());
        put(&mut bytes, 20, &1_u32.to_le_bytes());
        put(&mut bytes, 32, &64_u64.to_le_bytes());
        put(&mut bytes, 52, &64_u16.to_le_bytes());
        put(&mut bytes, 54, &56_u16.to_le_bytes());
        put(&mut bytes, 56, &1_u16.to_le_bytes());
        put(&mut bytes, 64, &1_u32.to_le_bytes());
        put(&mut bytes, 64 + 32, &256_u64.to_le_bytes());
        bytes
    }

    fn changed(at: usize, value: &[u8]) -> Vec<u8> {
        let mut bytes = program();
        put(&mut bytes, at, value);
        bytes
    }

    #[test]
    fn only_a_whole_static_program_for_this_machine_passes() {
        assert_eq!(check(&program()[..]), Ok(()));
        assert_eq!(
            check(&changed(64, &3_u32.to_le_bytes())[..]),
            Err(ElfError::Dynamic)
        );
        let said = |bytes: &[u8], text: &str| {
            let error = check(bytes).unwrap_err().to_string();
            assert!(
                error.starts_with("failed to open source binary: "),
                "{error}"
            );
            assert!(error.contains(text), "{error}");
        };
        said(b"#!/bin/sh\necho hello\n", "bad magic number");
        said(b"", "bad magic number");
        said(&changed(4, &[1]), "32-bit");
        said(
            &changed(18, &8_u16.to_le_bytes()),
            "another kind of processor",
        );
        said(&changed(16, &1_u16.to_le_bytes()), "no program");
        said(&changed(64, &4_u32.to_le_bytes()), "nothing to load");
    }

    #[test]
    fn no_beginning_of_a_program_passes() {
        let bytes = program();
        for length in 0..bytes.len() {
            assert!(check(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn no_byte_changed_makes_it_panic() {
        for at in 0..120 {
            for value in [0, 1, 127, 128, 255] {
                let _ = check(&changed(at, &[value])[..]);
            }
        }
    }
}
