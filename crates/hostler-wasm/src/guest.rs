//! What the host keeps for one instance: its view of the world, and the meter
//! that its memory is measured by.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::ResourceLimiter;
use wasmtime_wasi::p1::WasiP1Ctx;

use crate::host::Host;

/// Elements a table may have; function pointers of large programs need a few
/// ten thousand.
const TABLE_ELEMENTS: usize = 200_000;

/// The state of one instance.
pub(crate) struct Guest {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) meter: Meter,
    /// Who is asked, if anybody.
    pub(crate) host: Option<Arc<dyn Host>>,
    /// What was answered last.
    pub(crate) answers: Vec<Bytes>,
}

/// Refuses growth past a bound and remembers that it did. The guest is told
/// as by any machine without memory (`memory.grow` gives -1) and may cope.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: usize,
    refused: bool,
}

impl Meter {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            refused: false,
        }
    }

    /// Whether growth was ever refused.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.limit && maximum.is_none_or(|maximum| desired <= maximum);
        self.refused |= !fits;
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= TABLE_ELEMENTS && maximum.is_none_or(|maximum| desired <= maximum);
        self.refused |= !fits;
        Ok(fits)
    }
}
