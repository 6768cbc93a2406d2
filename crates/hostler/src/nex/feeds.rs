//! `nex logs` and `nex events`: what is said, as it is said, until somebody ends
//! the command or the connection is closed.

use anyhow::Result;
use futures::StreamExt as _;
use futures::stream::select_all;
use hostler_wire::nats::event::SYSTEM_NAMESPACE;
use hostler_wire::nats::subject::{self, LogSubject, parse_event, parse_log};
use hostler_wire::nats::{CloudEvent, LogPayload, Message};
use serde::Serialize;

use super::args::LogsArgs;
use super::client::Nex;
use crate::output::Output;

/// An event with the namespace of its subject.
#[derive(Serialize)]
struct Heard {
    namespace: String,
    event_type: String,
    event: CloudEvent,
}

/// Prints events of the namespace and of nodes as a whole.
pub(super) async fn events(nex: &Nex, output: Output) -> Result<()> {
    let mut feeds = vec![
        nex.nats
            .subscribe(subject::event(&nex.namespace, "*"))
            .await?,
    ];
    if !matches!(nex.namespace.as_str(), "*" | SYSTEM_NAMESPACE) {
        let system = subject::event(SYSTEM_NAMESPACE, "*");
        feeds.push(nex.nats.subscribe(system).await?);
    }
    let mut messages = select_all(feeds);
    while let Some(message) = messages.next().await {
        let Some((namespace, event_type)) = parse_event(&message.subject) else {
            continue;
        };
        let Ok(event) = CloudEvent::decode(&message.payload) else {
            output.remark(format!("what came on {} is no event", message.subject));
            continue;
        };
        let heard = Heard {
            namespace: namespace.to_owned(),
            event_type: event_type.to_owned(),
            event,
        };
        output.line(&heard, event_text)?;
    }
    Ok(())
}

fn event_text(heard: &Heard) -> String {
    let time = heard.event.time.unwrap_or_else(chrono::Utc::now);
    format!(
        "{} {} {} {}",
        time.format("%Y-%m-%d %H:%M:%S"),
        heard.namespace,
        heard.event_type,
        heard.event.data
    )
}

/// One entry with what its subject says of it.
#[derive(Serialize)]
struct Entry {
    namespace: String,
    node: String,
    workload: String,
    id: String,
    level: String,
    text: String,
}

/// Prints log entries of the namespace that the flags let through.
pub(super) async fn logs(nex: &Nex, args: LogsArgs, output: Output) -> Result<()> {
    // Of name and id nobody knows which comes first: see the protocol, 4.4.
    let subject = subject::log(&LogSubject {
        namespace: &nex.namespace,
        node: &args.node,
        workload: "*",
        id: "*",
    });
    let mut messages = nex.nats.subscribe(subject).await?;
    while let Some(message) = messages.next().await {
        let Some(place) = parse_log(&message.subject).filter(|place| is_wanted(&args, place))
        else {
            continue;
        };
        let Ok(payload) = LogPayload::decode(&message.payload) else {
            output.remark(format!("what came on {} is no log entry", message.subject));
            continue;
        };
        if payload.level >= args.level {
            output.line(&entry(&place, payload), entry_text)?;
        }
    }
    Ok(())
}

fn is_wanted(args: &LogsArgs, place: &LogSubject<'_>) -> bool {
    let fits = |wanted: &str, seen: &str| wanted == "*" || wanted == seen;
    fits(&args.workload_name, place.workload) && fits(&args.workload_id, place.id)
}

fn entry(place: &LogSubject<'_>, payload: LogPayload) -> Entry {
    Entry {
        namespace: place.namespace.to_owned(),
        node: place.node.to_owned(),
        workload: place.workload.to_owned(),
        id: place.id.to_owned(),
        level: payload.level.to_string(),
        text: payload.text,
    }
}

fn entry_text(entry: &Entry) -> String {
    let text = entry.text.trim_end_matches('\n');
    format!("[{}] {} {}: {text}", entry.level, entry.workload, entry.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_chosen_by_name_and_id_in_either_order() {
        let args = |name: &str, id: &str| LogsArgs {
            node: "*".into(),
            workload_name: name.into(),
            workload_id: id.into(),
            level: hostler_wire::nats::LogLevel::DEBUG,
        };
        let id = "coj2v3d2omt3lq0a1b2g";
        for subject in [
            format!("$NEX.logs.a.N1.echo.{id}"),
            format!("$NEX.logs.a.N1.{id}.echo"),
        ] {
            let place = parse_log(&subject).expect("a log subject");
            assert!(is_wanted(&args("*", "*"), &place));
            assert!(is_wanted(&args("echo", id), &place));
            assert!(!is_wanted(&args("other", "*"), &place));
            assert!(!is_wanted(&args("*", "echo"), &place));
        }
    }
}
