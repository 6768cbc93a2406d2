//! What a function may ask of its host, and `hostServices`, through which it
//! asks (protocol 6.7, 6.8). Made when it is used for the first time.
//!
//! Everything is passed on: what may be asked is for the host to decide. What
//! fails is thrown as a text, never as an error, and never ends more than the
//! call.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rquickjs::prelude::Opt;
use rquickjs::{Ctx, Function, IntoJs, Object, Result, TypedArray, Value};

use crate::bytecode::{self, Bytecode};
use crate::guard::Guard;
use crate::memory::array_bytes;

/// The part of `hostServices` that is written in its own language.
pub(crate) const GLUE: &str = include_str!("host.js");

/// The longest text of a failure.
const LONGEST: usize = 1_000;

/// Who carries out what functions ask. Called on the function's thread, which
/// waits.
pub trait Host: Send + Sync {
    /// Carries it out; zero or more answers.
    fn ask(&self, ask: Ask) -> std::result::Result<Vec<Bytes>, HostError>;
}

/// What a function asks of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// `kv`, `messaging`, `objectstore`, `http`.
    pub service: String,
    /// What the service should do.
    pub method: String,
    /// A key, a subject, a name or an address.
    pub name: Option<String>,
    /// A value, a message, an object, a body.
    pub body: Bytes,
    /// How much of the call's time is left.
    pub left: Duration,
}

/// Why it was not carried out; thrown as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// The object, asking this host.
pub(crate) fn services<'js>(
    ctx: &Ctx<'js>,
    glue: &Bytecode,
    host: &Arc<dyn Host>,
    guard: &Rc<Guard>,
) -> Result<Object<'js>> {
    let (host, guard) = (Arc::clone(host), Rc::clone(guard));
    let ask = move |ctx: Ctx<'js>,
                    service: String,
                    method: String,
                    name: Option<String>,
                    body: Opt<Value<'js>>|
          -> Result<Vec<TypedArray<'js, u8>>> {
        if !guard.may_wait() {
            return Err(fail(&ctx, "this call is begun anew"));
        }
        let ask = Ask {
            service,
            method,
            name,
            body: bytes(&ctx, body.0)?,
            left: guard.left(),
        };
        match host.ask(ask) {
            Ok(answers) => answers
                .iter()
                .map(|answer| TypedArray::new_copy(ctx.clone(), answer))
                .collect(),
            Err(error) => Err(fail(&ctx, &error.0)),
        }
    };
    let parse = |ctx: Ctx<'js>, text: TypedArray<'js, u8>| -> Result<Value<'js>> {
        ctx.json_parse(array_bytes(&text))
    };
    let make: Function<'js> = bytecode::run(ctx, glue)?.get()?;
    let ask = Function::new(ctx.clone(), ask)?;
    make.call((ask, Function::new(ctx.clone(), parse)?))
}

/// The bytes of a `Uint8Array`; nothing else will do.
fn bytes<'js>(ctx: &Ctx<'js>, value: Option<Value<'js>>) -> Result<Bytes> {
    let Some(value) = value.filter(|value| !value.is_undefined()) else {
        return Ok(Bytes::new());
    };
    let array = value
        .as_object()
        .and_then(|object| object.as_typed_array::<u8>());
    array.map(array_bytes).ok_or_else(|| {
        let what = value.type_name();
        let text = "failed to marshal v8 value to []byte";
        fail(
            ctx,
            &format!("{text}: it is {what}; only Uint8[] is supported"),
        )
    })
}

/// Throws a text.
fn fail(ctx: &Ctx<'_>, text: &str) -> rquickjs::Error {
    let text: String = text.chars().take(LONGEST).collect();
    match text.into_js(ctx) {
        Ok(text) => ctx.throw(text),
        Err(error) => error,
    }
}
