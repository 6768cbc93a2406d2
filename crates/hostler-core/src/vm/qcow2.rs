//! The header of a qcow2 file, as far as it must be known before anybody opens
//! the file: how large the disk is, and whether the file is all there is of it.
//!
//! An image comes from a stranger. One that names another file (a backing
//! file, an external data file) would let its reader see that file of the
//! host, so such are refused here, before any program that would follow the
//! name sees them. The parser is total: any bytes give an answer, and it reads
//! no more than [`HEAD`] of them.

use crate::Bytes;

/// So many bytes of a file are enough.
pub const HEAD: usize = 4_096;

/// The first bytes of every qcow2 file.
pub const MAGIC: [u8; 4] = *b"QFI\xfb";

/// The largest disk that an image may be of.
pub const LARGEST: Bytes = Bytes::new(16 << 40);

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qcow2 {
    /// 2 or 3.
    pub version: u32,
    /// The size of the disk.
    pub virtual_size: Bytes,
    /// Bytes of one cluster.
    pub cluster: u64,
}

/// Why a file is not taken as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Qcow2Error {
    /// It begins otherwise.
    #[error("the file is no qcow2 image")]
    Magic,
    /// It ends within its header.
    #[error("the image is truncated: it ends within its header")]
    Truncated,
    /// A version of the future, or the first.
    #[error("the image is of qcow2 version {0}; 2 and 3 are known")]
    Version(u32),
    /// It is a layer over another file.
    #[error("the image is a layer over another file, which is not in it")]
    BackingFile,
    /// Its data is elsewhere.
    #[error("the image keeps its data in another file, which is not in it")]
    DataFile,
    /// It cannot be read without a secret.
    #[error("the image is encrypted")]
    Encrypted,
    /// It was not closed.
    #[error("the image was not closed properly by whoever wrote it")]
    Dirty,
    /// It says so itself.
    #[error("the image is marked as corrupt")]
    Corrupt,
    /// Features that nobody here knows.
    #[error("the image needs features that are not known: bits {0:#x}")]
    Features(u64),
    /// Clusters of an impossible size.
    #[error("the image has clusters of 2^{0} bytes; 2^9 to 2^21 are possible")]
    Cluster(u32),
    /// No disk, or one larger than anybody has.
    #[error("the image is of a disk of {0}; more than nothing and at most {LARGEST} are taken")]
    Size(Bytes),
    /// Its tables lie outside.
    #[error("the image is truncated: its tables lie behind its end")]
    Tables,
}

impl Qcow2Error {
    /// What to do about it.
    pub const fn hint(self) -> Option<&'static str> {
        match self {
            Self::BackingFile | Self::DataFile | Self::Version(_) | Self::Features(_) => {
                Some("make it one plain file: qemu-img convert -O qcow2 OLD NEW")
            }
            Self::Dirty | Self::Corrupt => Some("repair it: qemu-img check -r all FILE"),
            Self::Truncated | Self::Tables => Some("copy it again: bytes are missing at its end"),
            Self::Encrypted => Some("decrypt it: qemu-img convert -O qcow2 OLD NEW"),
            Self::Magic | Self::Cluster(_) | Self::Size(_) => None,
        }
    }
}

const DIRTY: u64 = 1;
const CORRUPT: u64 = 1 << 1;
const DATA_FILE: u64 = 1 << 2;
/// Another compression, and larger L2 entries: all readers know both.
const HARMLESS: u64 = (1 << 3) | (1 << 4);

/// The header extension that names an external data file.
const DATA_FILE_NAME: u32 = 0x4441_5441;

/// Numbers at their places, most significant byte first.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u32(&self, at: usize) -> Result<u32, Qcow2Error> {
        let bytes = at.checked_add(4).and_then(|end| self.0.get(at..end));
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes).ok_or(Qcow2Error::Truncated)
    }

    fn u64(&self, at: usize) -> Result<u64, Qcow2Error> {
        let bytes = at.checked_add(8).and_then(|end| self.0.get(at..end));
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(u64::from_be_bytes).ok_or(Qcow2Error::Truncated)
    }
}

/// Reads the header at the beginning of a file of `length` bytes; `head` is
/// its first [`HEAD`] bytes, or all of it.
pub fn parse(head: &[u8], length: u64) -> Result<Qcow2, Qcow2Error> {
    let fields = Fields(head);
    if !head.starts_with(&MAGIC) {
        return Err(Qcow2Error::Magic);
    }
    let version = fields.u32(4)?;
    if !(2..=3).contains(&version) {
        return Err(Qcow2Error::Version(version));
    }
    if fields.u64(8)? != 0 || fields.u32(16)? != 0 {
        return Err(Qcow2Error::BackingFile);
    }
    if version == 3 {
        check_features(fields.u64(72)?)?;
        check_extensions(&fields, fields.u32(100)?)?;
    }
    if fields.u32(32)? != 0 {
        return Err(Qcow2Error::Encrypted);
    }
    let bits = fields.u32(20)?;
    if !(9..=21).contains(&bits) {
        return Err(Qcow2Error::Cluster(bits));
    }
    let size = Bytes::new(fields.u64(24)?);
    if size == Bytes::new(0) || size > LARGEST {
        return Err(Qcow2Error::Size(size));
    }
    check_tables(&fields, length, 1 << bits)?;
    Ok(Qcow2 {
        version,
        virtual_size: size,
        cluster: 1 << bits,
    })
}

fn check_features(bits: u64) -> Result<(), Qcow2Error> {
    let unknown = bits & !(DIRTY | CORRUPT | DATA_FILE | HARMLESS);
    match bits {
        _ if bits & DATA_FILE != 0 => Err(Qcow2Error::DataFile),
        _ if bits & CORRUPT != 0 => Err(Qcow2Error::Corrupt),
        _ if bits & DIRTY != 0 => Err(Qcow2Error::Dirty),
        _ if unknown != 0 => Err(Qcow2Error::Features(unknown)),
        _ => Ok(()),
    }
}

/// Walks the extensions: each is a kind, a length, and so many bytes, filled
/// up to eight. What lies behind the part that was read is told by the bits.
fn check_extensions(fields: &Fields<'_>, header: u32) -> Result<(), Qcow2Error> {
    let mut at = usize::try_from(header).unwrap_or(usize::MAX);
    while let (Ok(kind), Ok(length)) = (fields.u32(at), fields.u32(at.saturating_add(4))) {
        match kind {
            0 => break,
            DATA_FILE_NAME => return Err(Qcow2Error::DataFile),
            _ => {}
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let filled = length.checked_next_multiple_of(8).unwrap_or(usize::MAX);
        at = at.saturating_add(8).saturating_add(filled);
    }
    Ok(())
}

/// The table of first level and that of reference counts lie in the file, and
/// the former is large enough for the disk's size to be meant.
fn check_tables(fields: &Fields<'_>, length: u64, cluster: u64) -> Result<(), Qcow2Error> {
    let first = (fields.u64(40)?, u64::from(fields.u32(36)?) * 8);
    let clusters = u64::from(fields.u32(56)?);
    let counts = (fields.u64(48)?, clusters.saturating_mul(cluster));
    for (offset, bytes) in [first, counts] {
        let end = offset.checked_add(bytes);
        if end.is_none_or(|end| end > length) {
            return Err(Qcow2Error::Tables);
        }
    }
    Ok(())
}

/// A header of version 3 of a disk of this size, as `qemu-img create` writes
/// it, for tests of this and other crates.
pub fn sample(virtual_size: Bytes) -> Vec<u8> {
    let mut bytes = vec![0; 4 * 65_536];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &MAGIC);
    put(4, &3_u32.to_be_bytes());
    put(20, &16_u32.to_be_bytes());
    put(24, &virtual_size.get().to_be_bytes());
    put(36, &1_u32.to_be_bytes());
    put(40, &(3 * 65_536_u64).to_be_bytes());
    put(48, &65_536_u64.to_be_bytes());
    put(56, &1_u32.to_be_bytes());
    put(96, &4_u32.to_be_bytes());
    put(100, &112_u32.to_be_bytes());
    put(65_536, &(2 * 65_536_u64).to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(at: usize, field: &[u8]) -> Vec<u8> {
        let mut bytes = sample(Bytes::mib(64));
        bytes[at..at + field.len()].copy_from_slice(field);
        bytes
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<u64, Qcow2Error>) {
        let found = parse(&bytes[..bytes.len().min(HEAD)], bytes.len() as u64);
        assert_eq!(found.map(|image| image.virtual_size.get()), expected);
    }

    #[test]
    fn a_plain_image_is_read() {
        check(&sample(Bytes::mib(64)), Ok(64 << 20));
        check(&with(4, &2_u32.to_be_bytes()), Ok(64 << 20));
        check(&with(72, &0b11000_u64.to_be_bytes()), Ok(64 << 20));
        check(&sample(LARGEST), Ok(LARGEST.get()));
    }

    #[test]
    fn an_image_that_names_another_file_is_refused() {
        check(
            &with(8, &104_u64.to_be_bytes()),
            Err(Qcow2Error::BackingFile),
        );
        check(
            &with(16, &11_u32.to_be_bytes()),
            Err(Qcow2Error::BackingFile),
        );
        check(&with(72, &4_u64.to_be_bytes()), Err(Qcow2Error::DataFile));
        check(
            &with(112, &DATA_FILE_NAME.to_be_bytes()),
            Err(Qcow2Error::DataFile),
        );
        let mut second = with(112, &0x6803_f857_u32.to_be_bytes());
        second[119] = 3;
        second[128..132].copy_from_slice(&DATA_FILE_NAME.to_be_bytes());
        check(&second, Err(Qcow2Error::DataFile));
    }

    #[test]
    fn what_cannot_be_read_or_is_no_disk_is_refused_with_its_reason() {
        check(b"", Err(Qcow2Error::Magic));
        check(b"#!/bin/sh", Err(Qcow2Error::Magic));
        check(&MAGIC, Err(Qcow2Error::Truncated));
        check(&with(4, &4_u32.to_be_bytes()), Err(Qcow2Error::Version(4)));
        check(&with(32, &1_u32.to_be_bytes()), Err(Qcow2Error::Encrypted));
        check(&with(72, &1_u64.to_be_bytes()), Err(Qcow2Error::Dirty));
        check(&with(72, &2_u64.to_be_bytes()), Err(Qcow2Error::Corrupt));
        check(
            &with(72, &(1_u64 << 40).to_be_bytes()),
            Err(Qcow2Error::Features(1 << 40)),
        );
        check(
            &with(20, &63_u32.to_be_bytes()),
            Err(Qcow2Error::Cluster(63)),
        );
        check(&sample(Bytes::new(0)), Err(Qcow2Error::Size(Bytes::new(0))));
        let bomb = Bytes::new(u64::MAX);
        check(&sample(bomb), Err(Qcow2Error::Size(bomb)));
        check(&with(40, &u64::MAX.to_be_bytes()), Err(Qcow2Error::Tables));
        check(&with(36, &u32::MAX.to_be_bytes()), Err(Qcow2Error::Tables));
        check(&with(56, &u32::MAX.to_be_bytes()), Err(Qcow2Error::Tables));
    }

    #[test]
    fn no_prefix_of_an_image_passes_or_panics() {
        let bytes = sample(Bytes::mib(64));
        for length in 0..2_000 {
            assert!(parse(&bytes[..length], length as u64).is_err(), "{length}");
        }
    }

    #[test]
    fn no_number_in_a_header_makes_it_panic() {
        for at in 0..200 {
            for number in [0, 1, 0x7f, 0xffff, 1 << 31, 1 << 63, u64::MAX] {
                let bytes = with(at, &number.to_be_bytes());
                let _ = parse(&bytes[..HEAD], bytes.len() as u64);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(
            tail in prop::collection::vec(any::<u8>(), 0..300),
            length in any::<u64>(),
        ) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(tail);
            if let Ok(image) = parse(&bytes, length) {
                prop_assert!(image.virtual_size <= LARGEST);
            }
        }
    }
}
