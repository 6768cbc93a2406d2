//! The file under the ledger: frames, appended and never changed.
//!
//! ```text
//!  frame = F7 'H' 'L' 01 | length u32 LE | CRC-32 of the payload, u32 LE | payload
//! ```
//!
//! One append is one frame, one write and one `fdatasync`, so only the last
//! frame of a file can be torn. Payloads are UTF-8, in which the byte `F7`
//! never occurs: bytes that look like a frame are one.
//!
//! What must never happen: a frame behind a broken one read as if nothing had
//! been lost between them; a frame appended behind a broken one.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 4] = [0xF7, b'H', b'L', 1];
const HEAD: usize = 12;

/// A broken place with whole frames behind it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be read or written.
    #[error("could not {doing} the ledger {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in the middle is broken; what was lost cannot be known.
    #[error(
        "the ledger {path} is broken at byte {offset}, with whole records behind it: \
         restore the file, or move it away and stop this node's work by hand first"
    )]
    Broken {
        /// Which file.
        path: PathBuf,
        /// Where the broken frame begins.
        offset: u64,
    },
    /// An earlier write failed in a way that leaves the file's end unknown.
    #[error("the ledger {path} was given up after a failed write; start the node again")]
    GivenUp {
        /// Which file.
        path: PathBuf,
    },
}

/// What was cut off a file when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Where the torn frame began.
    pub offset: u64,
    /// How many bytes were cut.
    pub bytes: u64,
}

/// An open journal, positioned at its end.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    length: u64,
    given_up: bool,
}

/// A journal just opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    /// The payload of every whole frame, oldest first.
    pub(crate) payloads: Vec<Vec<u8>>,
    pub(crate) cut: Option<Cut>,
}

impl Journal {
    /// Opens or makes the journal, and cuts off a torn tail.
    pub(crate) fn open(path: &Path) -> Result<Opened, JournalError> {
        let fail = |doing| file_error(path, doing);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fail("open"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail("read"))?;
        let (payloads, good) = frames(&bytes);
        let torn = &bytes[good..];
        if (1..torn.len()).any(|at| frame(&torn[at..]).is_some()) {
            let path = path.to_owned();
            let offset = good as u64;
            return Err(JournalError::Broken { path, offset });
        }
        let mut journal = Self {
            file,
            path: path.to_owned(),
            length: good as u64,
            given_up: false,
        };
        let cut = (!torn.is_empty()).then_some(Cut {
            offset: good as u64,
            bytes: torn.len() as u64,
        });
        if cut.is_some() {
            journal.cut().map_err(fail("cut"))?;
        }
        journal
            .file
            .seek(SeekFrom::End(0))
            .map_err(fail("seek in"))?;
        let payloads = payloads.into_iter().map(<[u8]>::to_vec).collect();
        sync_folder(path).map_err(fail("sync the folder of"))?;
        Ok(Opened {
            journal,
            payloads,
            cut,
        })
    }

    /// Appends one payload; durable when this returns `Ok`. After a failed
    /// write the file ends where it ended before, or the journal is given up.
    pub(crate) fn append(&mut self, payload: &[u8]) -> Result<(), JournalError> {
        if self.given_up {
            let path = self.path.clone();
            return Err(JournalError::GivenUp { path });
        }
        let bytes = framed(payload);
        if let Err(error) = self.file.write_all(&bytes) {
            self.given_up = self.cut().is_err();
            return Err(file_error(&self.path, "write")(error));
        }
        if let Err(error) = self.file.sync_data() {
            // After a failed sync nobody knows which bytes are on disk.
            self.given_up = true;
            return Err(file_error(&self.path, "sync")(error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Replaces the whole file by one frame with this payload.
    pub(crate) fn replace(&mut self, payload: &[u8]) -> Result<(), JournalError> {
        let fresh = self.path.with_extension("new");
        let fail = |doing| file_error(&fresh, doing);
        let mut file = File::create(&fresh).map_err(fail("make"))?;
        let bytes = framed(payload);
        file.write_all(&bytes).map_err(fail("write"))?;
        file.sync_all().map_err(fail("sync"))?;
        std::fs::rename(&fresh, &self.path).map_err(fail("rename"))?;
        self.file = file;
        self.length = bytes.len() as u64;
        self.given_up = false;
        sync_folder(&self.path).map_err(file_error(&self.path, "sync the folder of"))
    }

    /// That something could not be turned into a payload of this file.
    pub(crate) fn encode_error(&self, error: serde_json::Error) -> JournalError {
        file_error(&self.path, "encode a record of")(error.into())
    }

    /// Bytes in the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.sync_all()
    }
}

fn file_error(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> JournalError {
    move |source| JournalError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The payload of the whole frame that `bytes` begins with.
fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let head = bytes.get(..HEAD)?;
    let number = |at: usize| {
        let four: [u8; 4] = head.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(four))
    };
    let length = usize::try_from(number(4)?).ok()?;
    let payload = bytes.get(HEAD..HEAD.checked_add(length)?)?;
    (head.starts_with(&MAGIC) && crc32fast::hash(payload) == number(8)?).then_some(payload)
}

/// The payloads of the whole frames from the start, and where they end.
fn frames(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut payloads = Vec::new();
    let mut at = 0;
    while let Some(payload) = frame(&bytes[at..]) {
        payloads.push(payload);
        at += HEAD + payload.len();
    }
    (payloads, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(path: &Path, payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut journal = Journal::open(path).unwrap().journal;
        for payload in payloads {
            journal.append(payload).unwrap();
        }
        std::fs::read(path).unwrap()
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let text = proptest::collection::vec(b' '..b'~', 0..40);
        proptest::collection::vec(text, 1..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn a_file_cut_anywhere_opens_with_a_prefix_of_what_was_written(payloads in texts()) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger");
            let bytes = written(&path, &payloads);
            for end in 0..=bytes.len() {
                std::fs::write(&path, &bytes[..end]).unwrap();
                let opened = Journal::open(&path).unwrap();
                prop_assert!(payloads.starts_with(&opened.payloads));
                let whole: usize = opened.payloads.iter().map(|p| HEAD + p.len()).sum();
                prop_assert_eq!(opened.cut.is_some(), whole < end);
                prop_assert_eq!(std::fs::read(&path).unwrap(), &bytes[..whole]);
            }
        }

        #[test]
        fn a_flipped_byte_is_cut_off_at_the_end_and_refused_in_the_middle(
            payloads in texts(),
            place in any::<prop::sample::Index>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger");
            let mut bytes = written(&path, &payloads);
            let at = place.index(bytes.len());
            bytes[at] ^= 0x55;
            std::fs::write(&path, &bytes).unwrap();
            let last = bytes.len() - HEAD - payloads.last().unwrap().len();
            match Journal::open(&path) {
                Ok(opened) => {
                    prop_assert!(at >= last);
                    prop_assert_eq!(&opened.payloads[..], &payloads[..payloads.len() - 1]);
                }
                Err(JournalError::Broken { offset, .. }) => {
                    prop_assert!(at < last);
                    prop_assert!(offset <= at as u64);
                }
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            }
        }
    }

    #[test]
    fn what_is_appended_after_a_cut_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let bytes = written(&path, &[b"one".to_vec(), b"two".to_vec()]);
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let mut opened = Journal::open(&path).unwrap();
        assert_eq!(opened.cut.map(|cut| cut.bytes), Some(HEAD as u64 + 2));
        opened.journal.append(b"three").unwrap();
        let again = Journal::open(&path).unwrap();
        assert_eq!(again.payloads, [b"one".to_vec(), b"three".to_vec()]);
        assert_eq!(again.cut, None);
    }

    #[test]
    fn a_replaced_file_holds_the_new_payload_and_takes_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let mut journal = Journal::open(&path).unwrap().journal;
        journal.append(b"old").unwrap();
        journal.replace(b"new").unwrap();
        journal.append(b"more").unwrap();
        let again = Journal::open(&path).unwrap();
        assert_eq!(again.payloads, [b"new".to_vec(), b"more".to_vec()]);
        assert_eq!(again.journal.length(), journal.length());
    }
}
