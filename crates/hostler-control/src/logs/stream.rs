//! Keeps the stream there. As a pass, because the server may be new, emptied
//! or away at any time.

use std::time::Duration;

use async_nats::jetstream::{self, stream};

use crate::passes::{Outcome, Pass, PassError};

/// The stream's name.
pub(super) const STREAM: &str = "HOSTLER_LOGS";
const SUBJECTS: &str = "$NEX.logs.>";
const LARGEST: i64 = 64 << 20;
const OLDEST: Duration = Duration::from_hours(7 * 24);

/// The pass that keeps the stream there.
pub(crate) struct LogStream(pub(crate) jetstream::Context);

impl Pass for LogStream {
    const NAME: &'static str = "log-stream";
    const ON_WORK: bool = false;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        if self.0.get_stream(STREAM).await.is_ok() {
            return Ok(Outcome::Did(0));
        }
        self.0
            .create_stream(config())
            .await
            .map_err(PassError::at("creating the stream of logs"))?;
        tracing::info!(stream = STREAM, "the stream of logs was created");
        Ok(Outcome::Did(1))
    }
}

fn config() -> stream::Config {
    stream::Config {
        name: STREAM.to_owned(),
        subjects: vec![SUBJECTS.to_owned()],
        max_bytes: LARGEST,
        max_age: OLDEST,
        storage: stream::StorageType::File,
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::Old,
        ..stream::Config::default()
    }
}
