//! One message of the stream as one line.

use async_nats::jetstream::Message;
use chrono::{DateTime, Utc};
use hostler_wire::rest::LogLine;
use serde::Deserialize;

/// The payload (protocol 4.4).
#[derive(Deserialize)]
struct Payload {
    text: String,
    #[serde(default)]
    level: String,
}

/// The line, or `None` when somebody published something else there.
pub(super) fn log_line(message: &Message) -> Option<LogLine> {
    let published = message.info().ok()?.published;
    let nanos = i64::try_from(published.unix_timestamp_nanos()).ok()?;
    read(
        &message.subject,
        &message.payload,
        DateTime::from_timestamp_nanos(nanos),
    )
}

fn read(subject: &str, payload: &[u8], at: DateTime<Utc>) -> Option<LogLine> {
    let payload: Payload = serde_json::from_slice(payload).ok()?;
    Some(LogLine {
        at,
        level: plain_level(&payload.level).to_owned(),
        slot: subject.rsplit('.').next()?.to_owned(),
        text: payload.text,
    })
}

/// Levels may carry an offset, such as `INFO+2`; people read four words.
fn plain_level(level: &str) -> &str {
    match level.split(['+', '-']).next() {
        Some(word @ ("DEBUG" | "INFO" | "WARN" | "ERROR")) => word,
        _ => "INFO",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slot_from_the_subject_and_a_plain_level() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let line = |payload: &[u8]| read("$NEX.logs.default.N1.echo.slot7", payload, at);
        let warn = line(br#"{"text":"hm\n","level":"WARN+1","id":"slot7"}"#).unwrap();
        assert_eq!((warn.level.as_str(), warn.slot.as_str()), ("WARN", "slot7"));
        assert_eq!(warn.text, "hm\n");
        assert_eq!(line(br#"{"text":"x"}"#).unwrap().level, "INFO");
        assert_eq!(line(b"not json"), None);
    }
}
