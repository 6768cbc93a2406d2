//! Numbers about jobs and calls.

use std::time::Duration;

use hostler_core::runner::job::Job;

use crate::provider::ProviderError;

/// A job ended.
pub(super) fn ended(job: &Job) {
    let result = if job.is_rolled_back() {
        "rolled_back"
    } else {
        job.state().as_str()
    };
    metrics::counter!("hostler_runner_jobs_total", "result" => result).increment(1);
}

/// A runner is on a machine, so long after it was asked for.
pub(super) fn scheduled(after: Duration) {
    metrics::histogram!("hostler_runner_scheduled_seconds").record(after.as_secs_f64());
}

/// A runner is at work, so long after it was asked for.
pub(super) fn ready(after: Duration) {
    metrics::histogram!("hostler_runner_ready_seconds").record(after.as_secs_f64());
}

/// A call to the provider failed.
pub(super) fn failed(error: &ProviderError) {
    let code = error.reason().code.to_string();
    metrics::counter!("hostler_runner_provider_errors_total", "code" => code).increment(1);
}
