//! Bounded memory that a guest writes to as if it were a stream.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// What a guest may write at once; the bound is enforced by [`Capture`].
const PERMIT: usize = 64 << 10;

/// What becomes of bytes past the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// The guest is trapped: the output would be wrong.
    Trap,
    /// They are dropped: the beginning is worth having.
    Drop,
}

/// Everything a guest writes, up to a bound. Clones share their contents.
#[derive(Clone, Debug)]
pub(crate) struct Capture {
    limit: usize,
    overflow: Overflow,
    written: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Capture {
    pub(crate) fn new(limit: usize, overflow: Overflow) -> Self {
        Self {
            limit,
            overflow,
            written: Arc::default(),
        }
    }

    /// The bytes so far, taken out, and whether there were more than fit.
    pub(crate) fn take(&self) -> (Bytes, bool) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = std::mem::take(&mut written.bytes);
        (bytes.into(), written.overflowed)
    }

    fn append(&self, bytes: &[u8]) -> StreamResult<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.limit - written.bytes.len().min(self.limit);
        let fitting = &bytes[..bytes.len().min(room)];
        written.bytes.extend_from_slice(fitting);
        if fitting.len() == bytes.len() {
            return Ok(());
        }
        written.overflowed = true;
        match self.overflow {
            Overflow::Trap => Err(StreamError::trap("too much output")),
            Overflow::Drop => Ok(()),
        }
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    /// Only components ask for this form, and none is ever run.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stays_within_the_bound() {
        let check = |overflow, refused: bool| {
            let capture = Capture::new(5, overflow);
            assert!(capture.append(b"abc").is_ok());
            assert_eq!(capture.append(b"def").is_err(), refused);
            assert_eq!(capture.take(), (Bytes::from_static(b"abcde"), true));
        };
        check(Overflow::Trap, true);
        check(Overflow::Drop, false);
    }
}
