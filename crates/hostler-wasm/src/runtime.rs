//! The engine and its settings: made once per process, and only when a module
//! is there to run, because it reserves address space and a thread.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, Linker, Module};
use wasmtime::{OptLevel, PoolingAllocationConfig};
use wasmtime_wasi::p1;

use crate::function::Function;
use crate::guest::Guest;
use crate::host;
use crate::ticker::Ticker;
use crate::{CompileError, RuntimeError};

/// Memory of an instance that is cleaned in place for the next call instead
/// of being given back: two pages of stack and data, as C programs have, and
/// some heap.
const KEPT_BYTES: usize = 512 << 10;

/// The stack of the host side of a call, beneath the guest's own.
const STACK_BYTES: usize = 1 << 20;

/// How deep a guest may call, in bytes of machine stack.
const GUEST_STACK_BYTES: usize = 512 << 10;

/// How large an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeOptions {
    /// Calls at the same time; further ones wait.
    pub concurrency: u32,
    /// The most memory any module may have, in bytes.
    pub memory_bytes: usize,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            memory_bytes: 1 << 30,
        }
    }
}

/// An engine that compiles modules.
pub struct Runtime {
    engine: Engine,
    linker: Linker<Guest>,
    clock: Arc<Ticker>,
    places: Arc<Semaphore>,
}

impl Runtime {
    /// Sets up an engine.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        let failed = |error: wasmtime::Error| RuntimeError::Engine(format!("{error:#}"));
        let engine = Engine::new(&config(options)).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_async(&mut linker, |guest: &mut Guest| &mut guest.wasi)
            .map_err(failed)?;
        host::add_to_linker(&mut linker).map_err(failed)?;
        let clock = Ticker::start(&engine).map_err(RuntimeError::Clock)?;
        let places = usize::try_from(options.concurrency.max(1)).unwrap_or(1);
        Ok(Self {
            engine,
            linker,
            clock: Arc::new(clock),
            places: Arc::new(Semaphore::new(places)),
        })
    }

    /// Compiles a module in WebAssembly's binary form. It must be a WASI
    /// preview 1 command: export `_start`, import nothing else than WASI and
    /// what [`crate::Host`] answers.
    pub fn compile(&self, bytes: &[u8]) -> Result<Function, CompileError> {
        let failed = |error: wasmtime::Error| CompileError(format!("{error:#}"));
        let module = Module::from_binary(&self.engine, bytes).map_err(failed)?;
        let start = module.get_export("_start");
        let Some(start) = start.as_ref().and_then(wasmtime::ExternType::func) else {
            return Err(CompileError("it exports no function _start".to_owned()));
        };
        if start.params().len() + start.results().len() > 0 {
            return Err(CompileError("_start has parameters".to_owned()));
        }
        let instance = self.linker.instantiate_pre(&module).map_err(failed)?;
        let (clock, places) = (Arc::clone(&self.clock), Arc::clone(&self.places));
        Ok(Function::new(instance, clock, places))
    }
}

/// Time is limited by epochs, so compiled loops carry a check. Instances come
/// from a pool, which makes a fresh one cost microseconds.
fn config(options: RuntimeOptions) -> Config {
    let places = options.concurrency.max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(places)
        .total_memories(places)
        .total_tables(places)
        .total_stacks(places)
        .max_memory_size(options.memory_bytes)
        .max_unused_warm_slots(places)
        .linear_memory_keep_resident(KEPT_BYTES)
        .table_keep_resident(KEPT_BYTES)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(STACK_BYTES);
    config
}
