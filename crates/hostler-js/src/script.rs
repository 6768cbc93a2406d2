//! A compiled script and its calls.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rquickjs::prelude::This;
use rquickjs::{Ctx, Error, Function, TypedArray};

use crate::answer::{NoAnswer, bytes_of, settle, thrown};
use crate::bytecode::{self, Bytecode};
use crate::engine::{Engine, HostKit};
use crate::guard::Stop;
use crate::host::GLUE;
use crate::{Call, CompileError, Level, Limits, Report, RunError};

/// The largest source. The original takes 12 KiB.
const LARGEST: usize = 4 << 20;

/// What the engine says when it has no memory.
const NO_MEMORY: &str = "InternalError: out of memory";

/// A compiled script, ready to run on any thread.
#[derive(Debug)]
pub struct Script {
    code: Bytecode,
    glue: Arc<Bytecode>,
}

impl Script {
    /// Compiles a script, and runs it once to see that it gives a function. One
    /// that asks its host already then is believed: nobody is asked.
    pub fn compile(source: &[u8], limits: Limits) -> Result<Self, CompileError> {
        if source.len() > LARGEST {
            return Err(CompileError::TooLarge(source.len(), LARGEST));
        }
        let text = std::str::from_utf8(source).map_err(|_| CompileError::NotText)?;
        let engine = Engine::new(limits, Some(limits.time)).map_err(|error| no_engine(&error))?;
        let compiled = engine.with(|ctx| Self::compile_in(&ctx, text));
        let script = compiled.map_err(|error| match judge(&engine, error.into(), limits) {
            RunError::Threw(text) => CompileError::Syntax(text),
            other => CompileError::Syntax(other.to_string()),
        })?;
        match engine.with(|ctx| script.rehearse(&engine, &ctx)) {
            Err(why) if engine.guard.stopped() != Some(Stop::Moved) => {
                Err(CompileError::NotAFunction(judge(&engine, why, limits)))
            }
            _ => Ok(script),
        }
    }

    fn compile_in(ctx: &Ctx<'_>, text: &str) -> Result<Self, Error> {
        Ok(Self {
            code: bytecode::compile(ctx, text)?,
            glue: Arc::new(bytecode::compile(ctx, GLUE)?),
        })
    }

    /// Runs the function once, on this thread. Nothing is given back by a brief
    /// call that has to be begun anew.
    pub fn run(&self, call: &Call<'_>) -> Option<Report> {
        let began = Instant::now();
        let (answer, lines) = match Engine::new(call.limits, call.brief) {
            Ok(engine) => {
                let answer = self.answer(&engine, call);
                if engine.guard.stopped() == Some(Stop::Moved) {
                    return None;
                }
                (answer, engine.lines())
            }
            Err(error) => (Err(RunError::NotStarted(error.to_string())), Vec::new()),
        };
        Some(Report {
            answer,
            lines,
            took: began.elapsed(),
        })
    }

    fn rehearse(&self, engine: &Engine, ctx: &Ctx<'_>) -> Result<(), NoAnswer> {
        let nobody: Arc<dyn crate::Host> = Arc::new(Nobody);
        engine.furnish(ctx, Some(&self.kit(&nobody)))?;
        self.function(ctx).map(drop)
    }

    fn answer(&self, engine: &Engine, call: &Call<'_>) -> Result<Bytes, RunError> {
        let answered = engine.with(|ctx| self.call(engine, &ctx, call));
        if engine.guard.must_stop(Instant::now()) {
            return Err(RunError::TimedOut(call.limits.time));
        }
        answered.map_err(|why| judge(engine, why, call.limits))
    }

    fn call(&self, engine: &Engine, ctx: &Ctx<'_>, call: &Call<'_>) -> Result<Bytes, NoAnswer> {
        let kit = call.host.as_ref().map(|host| self.kit(host));
        engine.furnish(ctx, kit.as_ref())?;
        let function = self.function(ctx)?;
        let payload = TypedArray::<u8>::new_copy(ctx.clone(), call.payload)?;
        let value = function.call((This(ctx.globals()), call.subject, payload))?;
        let value = settle(ctx, value, || engine.guard.must_stop(Instant::now()))?;
        bytes_of(ctx, value, call.limits.output_bytes)
    }

    /// Runs the script; the function that it gives.
    fn function<'js>(&self, ctx: &Ctx<'js>) -> Result<Function<'js>, NoAnswer> {
        let value = bytecode::run(ctx, &self.code)?;
        let what = value.type_name();
        value.into_function().ok_or(NoAnswer::NoFunction(what))
    }

    fn kit(&self, host: &Arc<dyn crate::Host>) -> HostKit {
        HostKit {
            host: Arc::clone(host),
            glue: Arc::clone(&self.glue),
        }
    }
}

/// Whom a script asks that is only looked at. It never comes to that.
struct Nobody;

impl crate::Host for Nobody {
    fn ask(&self, _ask: crate::Ask) -> Result<Vec<Bytes>, crate::HostError> {
        Err(crate::HostError("there is no host yet".to_owned()))
    }
}

fn no_engine(error: &Error) -> CompileError {
    CompileError::NotAFunction(RunError::NotStarted(error.to_string()))
}

/// Why there is no answer, in words.
fn judge(engine: &Engine, why: NoAnswer, limits: Limits) -> RunError {
    engine.last_words();
    match why {
        _ if engine.guard.stopped() == Some(Stop::Time) => RunError::TimedOut(limits.time),
        NoAnswer::Unsettled => RunError::Unsettled,
        NoAnswer::TooLong => RunError::TooMuchOutput(limits.output_bytes),
        NoAnswer::NoFunction(what) => RunError::NotAFunction(what),
        NoAnswer::Thrown(Error::Exception) => describe(engine, limits),
        NoAnswer::Thrown(Error::Allocation) => RunError::OutOfMemory(limits.memory_bytes),
        NoAnswer::Thrown(other) => RunError::Threw(other.to_string()),
    }
}

/// What was thrown. Its trace goes to the log.
fn describe(engine: &Engine, limits: Limits) -> RunError {
    let (text, stack) = engine.with(|ctx| thrown(&ctx, &ctx.catch()));
    // Reading it may have run some of the function, and for too long.
    if engine.guard.stopped() == Some(Stop::Time) {
        return RunError::TimedOut(limits.time);
    }
    if text == NO_MEMORY {
        return RunError::OutOfMemory(limits.memory_bytes);
    }
    if text == "null" {
        return RunError::ThrewNull(limits.memory_bytes);
    }
    let trace = format!("Uncaught {text}\n{}", stack.unwrap_or_default());
    engine.log().add(Level::Error, trace.trim_end().to_owned());
    RunError::Threw(text)
}
