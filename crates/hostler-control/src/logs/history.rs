//! Reading the stream: the last lines of one workload, and those that follow.
//!
//! JetStream can begin anywhere but not "twenty lines before the end", so the
//! beginning is looked for from the end backwards, in spans that double, by
//! asking how many matching lines a consumer from there would get.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy, pull};
use async_nats::jetstream::{self, stream::Stream as LogsStream};
use futures::{Stream, StreamExt, future};
use hostler_core::{Name, Timestamp};
use hostler_wire::rest::LogLine;

use super::line::log_line;
use super::stream::STREAM;

/// Whose lines are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) project: Name,
    pub(crate) name: Name,
    /// Older lines are those of an earlier workload of the same name.
    pub(crate) since: Timestamp,
    /// How many of the newest.
    pub(crate) tail: usize,
}

/// Why lines could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("the NATS server with the logs did not answer")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn away<E: std::error::Error + Send + Sync + 'static>(error: E) -> LogError {
    LogError::Away(Box::new(error))
}

/// Reads what workloads wrote.
#[derive(Clone)]
pub(crate) struct LogHistory(pub(crate) jetstream::Context);

type Lines = pull::Ordered;

impl LogHistory {
    /// The last lines there are now, oldest first.
    pub(crate) async fn tail(&self, wanted: &Wanted) -> Result<Vec<LogLine>, LogError> {
        let (lines, mut pending) = self.open(wanted).await?;
        let mut lines = std::pin::pin!(lines);
        let mut last = VecDeque::with_capacity(wanted.tail.min(1024));
        while pending > 0 {
            let next = tokio::time::timeout(PATIENCE, lines.next()).await;
            let Some(message) = next.map_err(away)? else {
                break;
            };
            pending -= 1;
            let Some(line) = message.map_err(away).map(|message| log_line(&message))? else {
                continue;
            };
            last.push_back(line);
            if last.len() > wanted.tail {
                last.pop_front();
            }
        }
        let fresh = |line: &LogLine| line.at.timestamp_millis() >= wanted.since.ms();
        Ok(last.into_iter().filter(fresh).collect())
    }

    /// The last lines there are now, and all that follow, without an end.
    pub(crate) async fn follow(
        &self,
        wanted: Wanted,
    ) -> Result<impl Stream<Item = LogLine> + Send + use<>, LogError> {
        let (lines, pending) = self.open(&wanted).await?;
        let surplus = usize::try_from(pending)
            .unwrap_or(usize::MAX)
            .saturating_sub(wanted.tail);
        let since = wanted.since.ms();
        Ok(lines
            .skip(surplus)
            .filter_map(|message| future::ready(message.ok().and_then(|m| log_line(&m))))
            .filter(move |line| future::ready(line.at.timestamp_millis() >= since)))
    }

    /// An ordered reader that begins at least `tail` lines before the end, if
    /// there are as many, and how many lines it will get of those there are.
    async fn open(&self, wanted: &Wanted) -> Result<(Lines, u64), LogError> {
        let mut stream = self.0.get_stream(STREAM).await.map_err(away)?;
        let state = stream.info().await.map_err(away)?.state.clone();
        let filter = format!("$NEX.logs.{}.*.{}.*", wanted.project, wanted.name);
        let mut span = (wanted.tail as u64).max(1);
        loop {
            let start = (state.last_sequence + 1)
                .saturating_sub(span)
                .max(state.first_sequence)
                .max(1);
            let (lines, pending) = ordered(&stream, &filter, start).await?;
            if pending >= wanted.tail as u64 || start <= state.first_sequence.max(1) {
                return Ok((lines, pending));
            }
            span = span.saturating_mul(4);
        }
    }
}

async fn ordered(
    stream: &LogsStream,
    filter: &str,
    start_sequence: u64,
) -> Result<(Lines, u64), LogError> {
    let config = pull::OrderedConfig {
        filter_subject: filter.to_owned(),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
        replay_policy: ReplayPolicy::Instant,
        ..pull::OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(away)?;
    let pending = consumer.cached_info().num_pending;
    let lines = consumer.messages().await.map_err(away)?;
    Ok((lines, pending))
}

/// The longest pause between two lines that are there already.
const PATIENCE: Duration = Duration::from_secs(3);
