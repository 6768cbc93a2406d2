//! Compiled scripts. The library compiles modules only, and a module cannot be
//! a classic script, so the four calls of the engine are made here.
//!
//! What must never happen: bytes that were not written by [`compile`] in this
//! process given to [`run`]. The engine believes them.

#![allow(unsafe_code)] // The only place; each use says why it is sound.

use std::ffi::CStr;

use rquickjs::{Ctx, Error, Result, Value, qjs};

/// How scripts are called in traces.
const NAME: &CStr = c"function.js";

/// A script as the engine keeps it. Made by [`compile`] only.
#[derive(Debug)]
pub(crate) struct Bytecode(Vec<u8>);

/// Compiles a classic script, and runs nothing of it.
pub(crate) fn compile(ctx: &Ctx<'_>, source: &str) -> Result<Bytecode> {
    // The engine demands a zero after the text, which it does not count.
    let mut text = Vec::with_capacity(source.len() + 1);
    text.extend_from_slice(source.as_bytes());
    text.push(0);
    let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
    // SAFETY: the text is alive, ends with a zero and is as long as is said;
    // the value that comes back is ours, and `from_raw` takes it.
    let compiled = unsafe {
        let raw = qjs::JS_Eval(
            ctx.as_raw().as_ptr(),
            text.as_ptr().cast(),
            source.len() as qjs::size_t,
            NAME.as_ptr(),
            flags.cast_signed(),
        );
        Value::from_raw(ctx.clone(), raw)
    };
    if compiled.is_exception() {
        return Err(Error::Exception);
    }
    write(ctx, &compiled)
}

fn write(ctx: &Ctx<'_>, compiled: &Value<'_>) -> Result<Bytecode> {
    let flags = qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE;
    let mut length: qjs::size_t = 0;
    // SAFETY: context and value are alive and belong together. The buffer that
    // comes back is as long as is said, is copied, and freed once.
    unsafe {
        let context = ctx.as_raw().as_ptr();
        let buffer = qjs::JS_WriteObject(
            context,
            &raw mut length,
            compiled.as_raw(),
            flags.cast_signed(),
        );
        if buffer.is_null() {
            return Err(Error::Exception);
        }
        let bytes = std::slice::from_raw_parts(buffer, usize::try_from(length).unwrap_or(0));
        let kept = bytes.to_vec();
        qjs::js_free(context, buffer.cast());
        Ok(Bytecode(kept))
    }
}

/// Runs a compiled script; what it evaluates to.
pub(crate) fn run<'js>(ctx: &Ctx<'js>, bytecode: &Bytecode) -> Result<Value<'js>> {
    // SAFETY: the bytes were written by this engine in this process, and are
    // alive; `JS_EvalFunction` takes the function, `from_raw` its result.
    let value = unsafe {
        let context = ctx.as_raw().as_ptr();
        let function = qjs::JS_ReadObject(
            context,
            bytecode.0.as_ptr(),
            bytecode.0.len() as qjs::size_t,
            qjs::JS_READ_OBJ_BYTECODE.cast_signed(),
        );
        if qjs::JS_IsException(function) {
            return Err(Error::Exception);
        }
        Value::from_raw(ctx.clone(), qjs::JS_EvalFunction(context, function))
    };
    if value.is_exception() {
        return Err(Error::Exception);
    }
    Ok(value)
}
