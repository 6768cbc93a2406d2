//! Functions: WebAssembly modules, run once per trigger (protocol 6.9, 6.10).
//!
//! The engine is made when a module comes, not before: an idle agent stays
//! small. An agent built without the feature `wasm` refuses modules.

#[cfg(not(feature = "wasm"))]
mod none;
#[cfg(feature = "wasm")]
mod wasm;

#[cfg(not(feature = "wasm"))]
pub(crate) use none::Function;
#[cfg(feature = "wasm")]
pub(crate) use wasm::Function;

/// Calls at a time: as many as there are processors, within reason.
pub(crate) fn places() -> usize {
    std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 8))
}
