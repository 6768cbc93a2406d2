//! What a function may ask of its host: three imports of the module `hostler`.
//!
//! ```text
//!  ask(service, method, name, body) -> n     each is an address and a length
//!  answer_len(i) -> bytes                    of answer i of the last ask, from 0
//!  answer_read(i, from, into, room) -> bytes
//! ```
//!
//! `ask` gives the number of answers, or -1: then answer 0 is the reason, as
//! text. The others give -1 for an answer that is not there. A module that names
//! memory it has not is trapped. What may be asked is for the host to decide.
//!
//! Answers are kept outside of the function's memory until the next `ask`; the
//! host bounds them.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::{Caller, Extern, Linker, Memory};

use crate::guest::Guest;

/// The module that the imports are of.
const MODULE: &str = "hostler";

/// The longest name of a service or method.
const WORD_LONGEST: usize = 64;

/// Who carries out what functions ask.
pub trait Host: Send + Sync {
    /// Carries it out; zero or more answers.
    fn ask(&self, ask: Ask) -> Answering<'_>;
}

/// An answer on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Vec<Bytes>, HostError>> + Send + 'a>>;

/// What a function asks of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// `kv`, `messaging`, `objectstore`, `http`; letters and nothing else.
    pub service: String,
    /// What the service should do; letters and nothing else.
    pub method: String,
    /// A key, a subject, a name or an address.
    pub name: Option<String>,
    /// A value, a message, an object, a body.
    pub body: Bytes,
}

/// Why it was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// Where something is in a function's memory.
type Span = (u32, u32);

/// Defines the imports.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "ask",
        |mut caller: Caller<'_, Guest>, at: (u32, u32, u32, u32, u32, u32, u32, u32)| {
            Box::new(async move {
                let ask = read(
                    &mut caller,
                    [(at.0, at.1), (at.2, at.3), (at.4, at.5), (at.6, at.7)],
                )?;
                Ok::<i32, wasmtime::Error>(answered(&mut caller, ask).await)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "answer_len",
        |caller: Caller<'_, Guest>, at: u32| {
            let answer = answer(&caller, at);
            answer.map_or(-1, |answer| size(answer.len()))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "answer_read",
        |mut caller: Caller<'_, Guest>, at: u32, from: u32, into: u32, room: u32| {
            let Some(answer) = answer(&caller, at) else {
                return Ok(-1);
            };
            let rest = answer.slice((from as usize).min(answer.len())..);
            let part = rest.slice(..rest.len().min(room as usize));
            let memory = memory(&mut caller)?;
            memory.write(&mut caller, into as usize, &part)?;
            Ok::<i32, wasmtime::Error>(size(part.len()))
        },
    )?;
    Ok(())
}

fn answer(caller: &Caller<'_, Guest>, at: u32) -> Option<Bytes> {
    caller.data().answers.get(at as usize).cloned()
}

fn size(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

fn memory(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<Memory> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    memory.ok_or_else(|| wasmtime::Error::msg("the module exports no memory"))
}

/// What is asked, or why it cannot be.
fn read(
    caller: &mut Caller<'_, Guest>,
    spans: [Span; 4],
) -> wasmtime::Result<Result<Ask, HostError>> {
    let memory = memory(caller)?;
    let data = memory.data(&*caller);
    let mut parts = [Bytes::new(), Bytes::new(), Bytes::new(), Bytes::new()];
    for ((at, len), part) in spans.into_iter().zip(&mut parts) {
        let end = u64::from(at) + u64::from(len);
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        let bytes = data.get(at as usize..end);
        let outside = || wasmtime::Error::msg("asked with memory that is not there");
        *part = Bytes::copy_from_slice(bytes.ok_or_else(outside)?);
    }
    Ok(ask_of(parts))
}

fn ask_of([service, method, name, body]: [Bytes; 4]) -> Result<Ask, HostError> {
    let wrong = || HostError("invalid rpc request".to_owned());
    let word = |bytes: &Bytes| {
        let is_word = bytes.len() <= WORD_LONGEST && bytes.iter().all(u8::is_ascii_alphabetic);
        let text = (is_word && !bytes.is_empty()).then(|| String::from_utf8_lossy(bytes));
        text.map(std::borrow::Cow::into_owned).ok_or_else(wrong)
    };
    let name = String::from_utf8(name.to_vec()).map_err(|_| wrong())?;
    Ok(Ask {
        service: word(&service)?,
        method: word(&method)?,
        name: Some(name).filter(|name| !name.is_empty()),
        body,
    })
}

async fn answered(caller: &mut Caller<'_, Guest>, ask: Result<Ask, HostError>) -> i32 {
    let host = caller.data().host.as_ref().map(Arc::clone);
    // What was answered before is given up first: both together might be much.
    caller.data_mut().answers.clear();
    let none = || HostError("there are no host services here".to_owned());
    let answers = match (ask, host) {
        (Ok(ask), Some(host)) => host.ask(ask).await,
        (Ok(_), None) => Err(none()),
        (Err(error), _) => Err(error),
    };
    let (count, answers) = match answers {
        Ok(answers) => (size(answers.len()), answers),
        Err(HostError(text)) => (-1, vec![text.into()]),
    };
    caller.data_mut().answers = answers;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_and_a_method_are_words_and_nothing_else() {
        let check = |service: &str, method: &str, is_good: bool| {
            let parts = [service, method, "n", "b"].map(|text| Bytes::from(text.to_owned()));
            assert_eq!(ask_of(parts).is_ok(), is_good, "{service} {method}");
        };
        check("kv", "get", true);
        check("messaging", "requestMany", true);
        for bad in ["", "k.v", "kv ", "kv\r\nPUB", "*", ">", &"a".repeat(65)] {
            check(bad, "get", false);
            check("kv", bad, false);
        }
    }
}
