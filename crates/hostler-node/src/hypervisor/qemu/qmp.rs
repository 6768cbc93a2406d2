//! The monitor's control socket: QMP, one command at a time. Lines of JSON; a
//! greeting, then `qmp_capabilities`, then commands, each answered by `return`
//! or `error`, with events between that concern nobody here.
//!
//! The monitor serves one connection at a time. So nobody keeps one.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

/// The longest line that is read.
const LONGEST: usize = 64 << 10;

/// A command was not done.
#[derive(Debug, thiserror::Error)]
pub enum QmpError {
    /// There is no monitor.
    #[error("could not connect to the monitor")]
    Connect(#[source] io::Error),
    /// It cannot be spoken to.
    #[error("could not speak with the monitor")]
    Talk(#[from] LinesCodecError),
    /// It said something that is no QMP.
    #[error("the monitor said what is not understood")]
    Nonsense(#[from] serde_json::Error),
    /// It went away.
    #[error("the monitor went away")]
    Gone,
    /// It refused.
    #[error("the monitor refused {command}: {why}")]
    Refused {
        /// What.
        command: String,
        /// In its words.
        why: String,
    },
}

/// A connection to a monitor.
pub(super) struct Qmp {
    lines: Framed<UnixStream, LinesCodec>,
}

impl Qmp {
    /// Connects to the socket `name` in this folder, whose own path may be
    /// longer than that of a socket.
    pub(super) async fn connect(folder: &Path, name: &str) -> Result<Self, QmpError> {
        let folder = File::open(folder).map_err(QmpError::Connect)?;
        let path = format!("/proc/self/fd/{}/{name}", folder.as_raw_fd());
        let stream = UnixStream::connect(path).await.map_err(QmpError::Connect)?;
        let codec = LinesCodec::new_with_max_length(LONGEST);
        let mut monitor = Self {
            lines: Framed::new(stream, codec),
        };
        monitor.line().await?;
        monitor.call("qmp_capabilities", Value::Null).await?;
        Ok(monitor)
    }

    /// Has a command done; what it returned.
    pub(super) async fn call(
        &mut self,
        command: &str,
        arguments: Value,
    ) -> Result<Value, QmpError> {
        let mut order = json!({ "execute": command });
        if !arguments.is_null() {
            order["arguments"] = arguments;
        }
        self.lines.send(order.to_string()).await?;
        loop {
            let line = self.line().await?;
            if let Some(answer) = answer(line) {
                return answer.map_err(|why| QmpError::Refused {
                    command: command.to_owned(),
                    why,
                });
            }
        }
    }

    async fn line(&mut self) -> Result<Value, QmpError> {
        let line = self.lines.next().await.ok_or(QmpError::Gone)??;
        Ok(serde_json::from_str(&line)?)
    }
}

/// The answer that a line is; an event is none.
fn answer(mut line: Value) -> Option<Result<Value, String>> {
    if let Some(returned) = line.get_mut("return") {
        return Some(Ok(returned.take()));
    }
    let error = line.get("error")?;
    let why = error.get("desc").and_then(Value::as_str);
    Some(Err(why.unwrap_or("it does not say why").to_owned()))
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    /// A monitor that says these lines, whatever it is asked.
    async fn monitor(says: &'static [&'static str]) -> (tempfile::TempDir, Result<Qmp, QmpError>) {
        let folder = tempfile::tempdir().unwrap();
        // Longer than a socket's path may be.
        let long = folder.path().join("x".repeat(150));
        std::fs::create_dir(&long).unwrap();
        let short = folder.path().join("s");
        let listener = UnixListener::bind(&short).unwrap();
        std::fs::rename(&short, long.join("qmp")).unwrap();
        let task = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut lines = Framed::new(stream, LinesCodec::new());
            for line in says {
                lines.send(line).await.unwrap();
            }
            // Until the other has gone.
            while lines.next().await.is_some_and(|line| line.is_ok()) {}
        });
        let connected = Qmp::connect(&long, "qmp").await;
        if connected.is_err() {
            task.abort();
        }
        (folder, connected)
    }

    #[tokio::test]
    async fn answers_are_told_from_events() {
        let (_folder, monitor) = monitor(&[
            r#"{"QMP": {"version": {}}}"#,
            r#"{"return": {}}"#,
            r#"{"event": "BALLOON_CHANGE", "data": {"actual": 5}}"#,
            r#"{"return": {"actual": 7}}"#,
            r#"{"error": {"class": "GenericError", "desc": "no"}}"#,
            "nonsense",
        ])
        .await;
        let mut monitor = monitor.unwrap();
        let first = monitor.call("query-balloon", Value::Null).await.unwrap();
        assert_eq!(first, json!({ "actual": 7 }));
        let second = monitor.call("balloon", json!({ "value": 1 })).await;
        assert!(matches!(second, Err(QmpError::Refused { command, why })
            if command == "balloon" && why == "no"));
        let third = monitor.call("cont", Value::Null).await;
        assert!(matches!(third, Err(QmpError::Nonsense(_))), "{third:?}");
    }

    #[tokio::test]
    async fn a_line_without_end_is_not_read_to_its_end() {
        static LONG: std::sync::LazyLock<&'static str> =
            std::sync::LazyLock::new(|| Box::leak("x".repeat(LONGEST + 1).into_boxed_str()));
        let says: &'static [&'static str] = Box::leak(Box::new([*LONG]));
        let (_folder, monitor) = monitor(says).await;
        assert!(matches!(monitor, Err(QmpError::Talk(_))));
    }
}
