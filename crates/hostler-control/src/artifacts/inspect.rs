//! What an uploaded file is, and whether a node could use it at all.
//!
//! A service is a static ELF executable (protocol 2.7: no program header of
//! type `PT_INTERP`; a static position-independent one passes). A function is
//! a core WebAssembly module, or the text of a script, which only the agent can
//! read (protocol 6.8). A VM's disk is a plain qcow2 image, or raw. Everything that a table of contents can tell is
//! told here, so that a broken upload never reaches a node. Nothing is run.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use hostler_core::Bytes;
use hostler_core::artifact::ArtifactKind as Kind;
use hostler_core::vm::qcow2::{self, Qcow2Error};
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, ReadCache, ReadRef};

/// Why a file is no artifact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is neither an ELF executable nor a WebAssembly module nor a script")]
    UnknownFormat,
    #[error("the ELF file is damaged: {0}")]
    DamagedElf(object::read::Error),
    #[error("the ELF file is truncated: it ends before its {0}")]
    TruncatedElf(&'static str),
    #[error("the ELF file is not an executable")]
    NotExecutable,
    #[error("the ELF executable is linked dynamically")]
    DynamicElf,
    #[error("the file is a WebAssembly component, not a core module")]
    WasmComponent,
    #[error("the WebAssembly module is truncated")]
    TruncatedWasm,
    #[error(transparent)]
    Image(#[from] Qcow2Error),
    #[error("the file is not a disk: its {0} bytes are no whole number of sectors")]
    Sectors(u64),
    #[error("reading the uploaded file")]
    Read(#[source] io::Error),
}

impl InspectError {
    /// What to do about it.
    pub(crate) const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::DynamicElf => Some("link it statically, such as with a musl target or -static"),
            Self::TruncatedElf(_) | Self::TruncatedWasm | Self::Empty => {
                Some("build or copy it again: bytes are missing at its end")
            }
            Self::WasmComponent => Some("build for wasm32-wasip1"),
            Self::UnknownFormat => Some(
                "upload a static Linux executable, a wasm module, a JavaScript file or a \
                 qcow2 image; a raw disk with the header x-artifact-kind: raw",
            ),
            Self::Image(why) => why.hint(),
            _ => None,
        }
    }
}

/// What the file at `path` is. Blocks; reads headers, and scripts. A raw disk has
/// none, so it is one only if that is `said` of it.
pub(crate) fn inspect(path: &Path, said: Option<Kind>) -> Result<Kind, InspectError> {
    let file = File::open(path).map_err(InspectError::Read)?;
    let size = file.metadata().map_err(InspectError::Read)?.len();
    if size == 0 {
        return Err(InspectError::Empty);
    }
    if said == Some(Kind::Raw) {
        let whole = size.is_multiple_of(SECTOR);
        return whole
            .then_some(Kind::Raw)
            .ok_or(InspectError::Sectors(size));
    }
    let cache = ReadCache::new(file);
    inspect_data(&cache, size)
}

/// Bytes of a sector.
const SECTOR: u64 = 512;

/// The size of the disk in the file at `path`, which is an image of this kind.
pub(crate) fn virtual_size(path: &Path, kind: Kind) -> Result<Bytes, InspectError> {
    let file = File::open(path).map_err(InspectError::Read)?;
    let size = file.metadata().map_err(InspectError::Read)?.len();
    if kind == Kind::Raw {
        return Ok(Bytes::new(size));
    }
    let mut head = Vec::new();
    file.take(qcow2::HEAD as u64)
        .read_to_end(&mut head)
        .map_err(InspectError::Read)?;
    Ok(qcow2::parse(&head, size)?.virtual_size)
}

fn inspect_data<'data, R: ReadRef<'data>>(data: R, size: u64) -> Result<Kind, InspectError> {
    let magic = data
        .read_bytes_at(0, size.min(8))
        .map_err(|()| InspectError::UnknownFormat)?;
    match magic {
        [0x7f, b'E', b'L', b'F', 2, ..] => {
            check_elf::<elf::FileHeader64<Endianness>, R>(data, size)
        }
        [0x7f, b'E', b'L', b'F', 1, ..] => {
            check_elf::<elf::FileHeader32<Endianness>, R>(data, size)
        }
        [0x7f, b'E', b'L', b'F', ..] => Err(InspectError::TruncatedElf("header")),
        [0, b'a', b's', b'm', 1, 0, 0, 0] => check_wasm(data, size),
        [0, b'a', b's', b'm', _, 0, 1, 0] => Err(InspectError::WasmComponent),
        [b'Q', b'F', b'I', 0xfb, ..] => {
            let head = data
                .read_bytes_at(0, size.min(qcow2::HEAD as u64))
                .map_err(|()| InspectError::UnknownFormat)?;
            qcow2::parse(head, size)?;
            Ok(Kind::Qcow2)
        }
        [0, b'a', b's', b'm', ..] if size < 8 => Err(InspectError::TruncatedWasm),
        _ if is_script(data, size) => Ok(Kind::V8),
        _ => Err(InspectError::UnknownFormat),
    }
}

/// The largest script that agents take.
const LARGEST_SCRIPT: u64 = 4 << 20;

/// Whether it is text, and not for another interpreter.
fn is_script<'data, R: ReadRef<'data>>(data: R, size: u64) -> bool {
    if size > LARGEST_SCRIPT {
        return false;
    }
    let text = data.read_bytes_at(0, size).ok();
    let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.is_some_and(|text| !text.contains(['\0', '\x7f']) && !text.starts_with("#!"))
}

fn check_elf<'data, H, R>(data: R, size: u64) -> Result<Kind, InspectError>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    if size < size_of::<H>() as u64 {
        return Err(InspectError::TruncatedElf("header"));
    }
    let header = H::parse(data).map_err(InspectError::DamagedElf)?;
    let endian = header.endian().map_err(InspectError::DamagedElf)?;
    if ![elf::ET_EXEC, elf::ET_DYN].contains(&header.e_type(endian)) {
        return Err(InspectError::NotExecutable);
    }
    let segments = header
        .program_headers(endian, data)
        .map_err(|_| InspectError::TruncatedElf("program headers"))?;
    let kinds = || segments.iter().map(|segment| segment.p_type(endian));
    if kinds().any(|kind| kind == elf::PT_INTERP) {
        return Err(InspectError::DynamicElf);
    }
    if !kinds().any(|kind| kind == elf::PT_LOAD) {
        return Err(InspectError::NotExecutable);
    }
    let ends = segments.iter().map(|segment| {
        let (offset, length) = segment.file_range(endian);
        offset.saturating_add(length)
    });
    if ends.max().is_some_and(|end| end > size) {
        return Err(InspectError::TruncatedElf("last segment"));
    }
    sections_are_whole(header, endian, data, size)?;
    Ok(Kind::Elf)
}

/// The section table stands at the end of what linkers write, so its absence
/// is how a truncated file shows itself when all segments are still there.
fn sections_are_whole<'data, H, R>(
    header: &H,
    endian: Endianness,
    data: R,
    size: u64,
) -> Result<(), InspectError>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let sections = header
        .section_headers(endian, data)
        .map_err(|_| InspectError::TruncatedElf("section headers"))?;
    let ends = sections
        .iter()
        .filter_map(|section| section.file_range(endian))
        .map(|(offset, length)| offset.saturating_add(length));
    match ends.max() {
        Some(end) if end > size => Err(InspectError::TruncatedElf("last section")),
        _ => Ok(()),
    }
}

/// Walks the sections: each is an id, a length in LEB128, and so many bytes.
fn check_wasm<'data, R: ReadRef<'data>>(data: R, size: u64) -> Result<Kind, InspectError> {
    let mut at = 8;
    while at < size {
        at += 1;
        let length = leb128(data, &mut at)?;
        at = at.saturating_add(u64::from(length));
    }
    if at == size {
        Ok(Kind::Wasm)
    } else {
        Err(InspectError::TruncatedWasm)
    }
}

fn leb128<'data, R: ReadRef<'data>>(data: R, at: &mut u64) -> Result<u32, InspectError> {
    let mut value = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = data
            .read_bytes_at(*at, 1)
            .ok()
            .and_then(|bytes| bytes.first().copied())
            .ok_or(InspectError::TruncatedWasm)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| InspectError::TruncatedWasm);
        }
    }
    Err(InspectError::TruncatedWasm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::elf::{dynamic_elf, static_elf};

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<Kind, &str>) {
        let verdict = inspect_data(bytes, bytes.len() as u64).map_err(|error| error.to_string());
        match (verdict, expected) {
            (Ok(kind), Ok(expected)) => assert_eq!(kind, expected),
            (Err(text), Err(part)) => assert!(text.contains(part), "{text}"),
            (verdict, expected) => panic!("{verdict:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_static_executable_and_a_module_pass() {
        check(&static_elf(), Ok(Kind::Elf));
        check(b"\0asm\x01\0\0\0", Ok(Kind::Wasm));
        check(b"\0asm\x01\0\0\0\x00\x04\x03abc", Ok(Kind::Wasm));
        check(&qcow2::sample(Bytes::mib(64)), Ok(Kind::Qcow2));
    }

    #[test]
    fn a_text_passes_as_a_script() {
        check("(s) => 'ü'".as_bytes(), Ok(Kind::V8));
        check(&vec![b' '; 4 << 20], Ok(Kind::V8));
    }

    #[test]
    fn what_no_node_could_run_is_refused_with_its_reason() {
        let elf = static_elf();
        check(&dynamic_elf(), Err("dynamically"));
        check(&elf[..20], Err("truncated"));
        check(&elf[..100], Err("truncated"));
        check(&elf[..elf.len() - 1], Err("truncated"));
        check(b"\x7fELF", Err("truncated"));
        check(b"#!/bin/sh\necho", Err("neither"));
        check(b"() => '\xff'", Err("neither"));
        check(b"() => 1 // \0", Err("neither"));
        check(&vec![b' '; (4 << 20) + 1], Err("neither"));
        check(b"\0asm\x0d\0\x01\0", Err("component"));
        let mut layer = qcow2::sample(Bytes::mib(64));
        layer[15] = 200;
        check(&layer, Err("layer over another file"));
        check(b"\0asm\x01", Err("truncated"));
        check(b"\0asm\x01\0\0\0\x00\x04ab", Err("truncated"));
        check(b"\0asm\x01\0\0\0\x00", Err("truncated"));
        check(b"\0asm\x01\0\0\0\x00\xff\xff\xff\xff\xff", Err("truncated"));
    }

    /// Inspects what `bytes` are, as a slice and as a file that is read piece
    /// by piece, which must not take more room than the file has.
    fn survives(bytes: &[u8]) {
        let size = bytes.len() as u64;
        let _ = inspect_data(bytes, size);
        let cache = ReadCache::new(std::io::Cursor::new(bytes));
        let _ = inspect_data(&cache, size);
    }

    #[test]
    fn no_number_in_a_header_makes_it_panic_or_take_much_room() {
        let numbers = [
            0,
            1,
            0x7f,
            0xff,
            0xffff,
            1 << 31,
            u64::from(u32::MAX),
            1 << 63,
            u64::MAX,
        ];
        let modules = [
            b"\0asm\x01\0\0\0\x00\x04\x03abc".to_vec(),
            dynamic_elf(),
            static_elf(),
        ];
        let patched = |seed: &[u8], at: usize, number: u64, width: usize| {
            let mut bytes = seed.to_vec();
            let end = bytes.len().min(at + width);
            bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
            bytes
        };
        for seed in &modules {
            for at in 4..seed.len() {
                for (number, width) in numbers.iter().flat_map(|n| [(*n, 2), (*n, 4), (*n, 8)]) {
                    let once = patched(seed, at, number, width);
                    survives(&once);
                    for second in (at..seed.len()).step_by(7) {
                        survives(&patched(&once, second, u64::MAX - number, width));
                    }
                }
            }
        }
    }

    #[test]
    fn no_prefix_of_an_executable_passes_or_panics() {
        let elf = static_elf();
        for length in 1..elf.len() {
            let verdict = inspect_data(&elf[..length], length as u64);
            assert!(verdict.is_err(), "{length} bytes");
        }
    }
}
