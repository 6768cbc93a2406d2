//! One engine, for one call: its memory, its clock, and what its functions see
//! besides the language.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rquickjs::object::{Accessor, Property};
use rquickjs::{Context, Ctx, Object, Result, Runtime};

use crate::bytecode::Bytecode;
use crate::call::{Limits, Line};
use crate::console::{Log, console};
use crate::guard::Guard;
use crate::host::{Host, services};

/// How deep a function may call, in bytes of machine stack. Threads have two
/// MiB, and what is below a call needs little.
const STACK_BYTES: usize = 768 << 10;

/// Memory for saying what went wrong once there is none left.
const LAST_WORDS: usize = 1 << 20;

/// An engine that nothing has run in yet.
pub(crate) struct Engine {
    context: Context,
    pub(crate) guard: Rc<Guard>,
    log: Rc<Log>,
    memory_bytes: usize,
}

impl Engine {
    /// An engine whose time begins now.
    pub(crate) fn new(limits: Limits, brief: Option<Duration>) -> Result<Self> {
        let runtime = Runtime::new()?;
        runtime.set_max_stack_size(STACK_BYTES);
        let context = Context::full(&runtime)?;
        // Not before: the engine's own beginnings are no fault of the function.
        runtime.set_memory_limit(limits.memory_bytes.max(1));
        let guard = Rc::new(Guard::new(Instant::now(), limits.time, brief));
        let seen = Rc::clone(&guard);
        runtime.set_interrupt_handler(Some(Box::new(move || seen.must_stop(Instant::now()))));
        Ok(Self {
            context,
            guard,
            log: Rc::default(),
            memory_bytes: limits.memory_bytes,
        })
    }

    /// Works inside.
    pub(crate) fn with<R>(&self, work: impl FnOnce(Ctx<'_>) -> R) -> R {
        self.context.with(work)
    }

    /// Gives functions a console and, if there is a host, its services.
    pub(crate) fn furnish(&self, ctx: &Ctx<'_>, host: Option<&HostKit>) -> Result<()> {
        let log = Rc::clone(&self.log);
        lazily(ctx, "console", move |ctx| console(ctx, &log))?;
        if let Some(kit) = host {
            let (kit, guard) = (kit.clone(), Rc::clone(&self.guard));
            lazily(ctx, "hostServices", move |ctx| {
                services(ctx, &kit.glue, &kit.host, &guard)
            })?;
        }
        Ok(())
    }

    /// Lets what was thrown be read, should memory be what was missing.
    pub(crate) fn last_words(&self) {
        let memory = self.memory_bytes.saturating_add(LAST_WORDS);
        self.context.runtime().set_memory_limit(memory);
    }

    /// Writes to the function's log.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// What was written to the console.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.log.take()
    }
}

/// A host, and the script that functions reach it by.
#[derive(Clone)]
pub(crate) struct HostKit {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) glue: Arc<Bytecode>,
}

/// A global that is made when it is first looked at. It can be replaced, as
/// any other.
fn lazily<'js>(
    ctx: &Ctx<'js>,
    name: &'static str,
    make: impl Fn(&Ctx<'js>) -> Result<Object<'js>> + 'js,
) -> Result<()> {
    let get = move |ctx: Ctx<'js>| {
        let object = make(&ctx)?;
        place(&ctx, name, object.clone().into_value())?;
        Ok::<_, rquickjs::Error>(object)
    };
    let set = move |ctx: Ctx<'js>, value: rquickjs::Value<'js>| place(&ctx, name, value);
    let global = Accessor::new(get, set).configurable().enumerable();
    ctx.globals().prop(name, global)
}

fn place<'js>(ctx: &Ctx<'js>, name: &str, value: rquickjs::Value<'js>) -> Result<()> {
    let plain = Property::from(value).writable().configurable().enumerable();
    ctx.globals().prop(name, plain)
}
