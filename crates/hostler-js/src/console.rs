//! `console`: what a function writes goes to its log. Made when it is used for
//! the first time; most calls never do.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::prelude::{Coerced, Rest};
use rquickjs::{Ctx, FromJs, Function, Object, Result, Value};

use crate::call::{Level, Line};

/// What is kept of a call's lines, in bytes.
const LOG_BYTES: usize = 32 << 10;

/// The lines of one call.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: RefCell<Vec<Line>>,
    bytes: std::cell::Cell<usize>,
}

impl Log {
    /// Keeps a line, or of the last that fits its beginning.
    pub(crate) fn add(&self, level: Level, mut text: String) {
        let room = LOG_BYTES.saturating_sub(self.bytes.get());
        if room == 0 {
            return;
        }
        text.truncate(text.floor_char_boundary(room));
        // An empty line is not for nothing.
        self.bytes.set(self.bytes.get() + text.len() + 1);
        self.lines.borrow_mut().push(Line { level, text });
    }

    pub(crate) fn take(&self) -> Vec<Line> {
        self.lines.take()
    }
}

/// The functions there are.
const METHODS: [(&str, Level); 6] = [
    ("log", Level::Info),
    ("info", Level::Info),
    ("warn", Level::Warn),
    ("error", Level::Error),
    ("debug", Level::Debug),
    ("trace", Level::Debug),
];

/// The object, writing to this log.
pub(crate) fn console<'js>(ctx: &Ctx<'js>, log: &Rc<Log>) -> Result<Object<'js>> {
    let console = Object::new(ctx.clone())?;
    for (name, level) in METHODS {
        let log = Rc::clone(log);
        let write = move |ctx: Ctx<'js>, values: Rest<Value<'js>>| -> Result<()> {
            let mut words = Vec::with_capacity(values.len());
            for value in values.0 {
                words.push(shown(&ctx, value)?);
            }
            log.add(level, words.join(" "));
            Ok(())
        };
        console.set(name, Function::new(ctx.clone(), write)?.with_name(name)?)?;
    }
    Ok(console)
}

/// A value as a person wants to read it: texts and errors as they are, the
/// rest as JSON where it can be.
fn shown<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> Result<String> {
    let plain = value.is_object() && !value.is_error() && !value.is_function();
    if plain && let Some(json) = ctx.json_stringify(value.clone())? {
        return json.to_string();
    }
    if value.is_symbol() {
        return Ok("Symbol()".to_owned());
    }
    Ok(Coerced::<String>::from_js(ctx, value)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_beginning() {
        let log = Log::default();
        for _ in 0..100_000 {
            log.add(Level::Info, String::new());
        }
        assert_eq!(log.take().len(), LOG_BYTES);
        let log = Log::default();
        log.add(Level::Warn, "ä".repeat(LOG_BYTES));
        log.add(Level::Warn, "more".to_owned());
        let lines = log.take();
        assert_eq!((lines.len(), lines[0].text.len()), (1, LOG_BYTES));
    }
}
