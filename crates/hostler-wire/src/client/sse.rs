//! Server-sent events: bytes in, events out (HTML standard, 9.2).

use std::collections::VecDeque;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _, try_unfold};
use serde::de::DeserializeOwned;

use super::error::ClientError;
use super::http::ByteStream;

/// Typed events as they come.
pub type EventStream<T> = BoxStream<'static, Result<T, ClientError>>;

/// The longest event.
const LIMIT: usize = 4 << 20;

/// One event, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// Its id, to continue after; empty if none was ever sent.
    pub id: String,
    /// Its type; empty for `message`.
    pub event: String,
    /// Its data, lines joined by newlines.
    pub data: String,
}

/// Why a stream is no stream of events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event does not end.
    #[error("an event is longer than {LIMIT} bytes")]
    TooLong,
    /// An event's data is not what was expected.
    #[error("an event holds something else: {0}")]
    Data(String),
}

/// Puts events together from pieces cut anywhere.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    after_return: bool,
    id: String,
    event: String,
    data: Option<String>,
}

impl SseParser {
    /// The events that this piece completes.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<SseEvent>, SseError> {
        let mut events = Vec::new();
        for byte in piece {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    events.extend(self.line_end());
                }
                _ => {
                    self.after_return = false;
                    self.line.push(*byte);
                }
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > LIMIT {
                return Err(SseError::TooLong);
            }
        }
        Ok(events)
    }

    fn line_end(&mut self) -> Option<SseEvent> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if line.is_empty() {
            return self.event_end();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // Comments, retry times and what may come later.
            _ => {}
        }
        None
    }

    fn event_end(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.event);
        let data = self.data.take()?;
        let id = self.id.clone();
        Some(SseEvent { id, event, data })
    }
}

struct Reading {
    url: String,
    bytes: ByteStream,
    parser: SseParser,
    ready: VecDeque<SseEvent>,
}

/// The data of a stream's events, each read as JSON.
pub(super) fn events<T>(url: String, bytes: ByteStream) -> EventStream<T>
where
    T: DeserializeOwned + Send + 'static,
{
    let reading = Reading {
        url: url.clone(),
        bytes,
        parser: SseParser::default(),
        ready: VecDeque::new(),
    };
    let typed = move |event: SseEvent| {
        let value = serde_json::from_str(&event.data);
        let value = value.map_err(|error| events_error(&url, SseError::Data(error.to_string())));
        std::future::ready(value)
    };
    try_unfold(reading, next).and_then(typed).boxed()
}

async fn next(mut reading: Reading) -> Result<Option<(SseEvent, Reading)>, ClientError> {
    loop {
        if let Some(event) = reading.ready.pop_front() {
            return Ok(Some((event, reading)));
        }
        let Some(piece) = reading.bytes.next().await else {
            return Ok(None);
        };
        let piece: Bytes = piece?;
        let events = reading.parser.push(&piece);
        reading.ready = events
            .map_err(|error| events_error(&reading.url, error))?
            .into();
    }
}

fn events_error(url: &str, source: SseError) -> ClientError {
    let url = url.to_owned();
    ClientError::Events { url, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b": hello\nid: 1\nevent: log\ndata: {\"a\":\ndata:1}\n\n\
        data: two\r\n\r\nretry: 5\n\nid\ndata\n\ndata: unfinished\n";

    fn expected() -> Vec<SseEvent> {
        let event = |id: &str, event: &str, data: &str| SseEvent {
            id: id.into(),
            event: event.into(),
            data: data.into(),
        };
        vec![
            event("1", "log", "{\"a\":\n1}"),
            event("1", "", "two"),
            event("", "", ""),
        ]
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        for size in 1..STREAM.len() {
            let mut parser = SseParser::default();
            let events: Vec<_> = STREAM
                .chunks(size)
                .flat_map(|piece| parser.push(piece).unwrap())
                .collect();
            assert_eq!(events, expected(), "pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        let mut parser = SseParser::default();
        let piece = vec![b'x'; LIMIT];
        assert!(parser.push(&piece).is_ok());
        assert_eq!(parser.push(b"x"), Err(SseError::TooLong));
    }
}
