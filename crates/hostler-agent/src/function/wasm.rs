//! A function in this process. Each trigger is answered, at once when it
//! fails: the original would leave the caller waiting.
//!
//! Calls of a function that was quick last time begin on the thread of the
//! link: to wake another thread takes longer than they do. One that has not
//! ended at the engine's next tick, and all calls of a slow function, compute
//! on a thread of their own, so that a busy function never holds up the link.
//! What waits for a place waits in the subscription.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use hostler_wasm::{Call, Limits, Report, Runtime, RuntimeOptions};
use hostler_wire::agent::{AgentDeployRequest, AgentLevel, AgentRefusal, subject};
use hostler_wire::agent::{ERROR_HEADER, RUNTIME_HEADER, TRIGGER_SUBJECT_HEADER};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agent::Agent;
use crate::outbox::Outbox;
use crate::status::Status;

/// Room that a reply leaves for subject and headers.
const REPLY_MARGIN: usize = 4 << 10;

/// The longest reply, whatever the server would take.
const LONGEST_REPLY: usize = 64 << 20;

/// The longest error text that fits a header comfortably.
const LONGEST_ERROR: usize = 1_000;

/// A call that takes no longer is quick.
const QUICK: Duration = Duration::from_millis(1);

/// A function that answers triggers.
pub(crate) struct Function {
    calls: TaskTracker,
    closing: CancellationToken,
}

/// What every call needs.
struct Shared {
    function: hostler_wasm::Function,
    name: String,
    environment: Vec<(String, String)>,
    limits: Limits,
    client: Client,
    outbox: Outbox,
    status: Arc<Status>,
    /// Whether the last call was.
    is_quick: AtomicBool,
}

impl Function {
    /// Compiles a module and begins to answer its triggers.
    pub(crate) async fn start(
        agent: &Agent,
        request: &AgentDeployRequest,
        module: Vec<u8>,
    ) -> Result<Self, AgentRefusal> {
        let limits = limits(request, agent.client.max_payload());
        let compiled = tokio::task::spawn_blocking(move || compile(&module, limits)).await;
        let function =
            compiled.unwrap_or_else(|error| Err(AgentRefusal::Provider(error.to_string())))?;
        let triggers = agent.client.subscribe(subject::trigger(&agent.slot)).await;
        let triggers = triggers.map_err(|error| AgentRefusal::Start(error.to_string()))?;
        let shared = Shared {
            function,
            name: request.workload_name.clone(),
            environment: request
                .environment
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
            limits,
            client: agent.client.clone(),
            outbox: agent.outbox.clone(),
            status: Arc::clone(&agent.status),
            is_quick: AtomicBool::new(true),
        };
        let started = Self {
            calls: TaskTracker::new(),
            closing: CancellationToken::new(),
        };
        let serving = serve(Arc::new(shared), triggers, started.calls.clone());
        let closing = started.closing.clone();
        tokio::spawn(async move { closing.run_until_cancelled(serving).await });
        Ok(started)
    }

    /// Takes no more triggers.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    /// Takes no more triggers, and waits for the calls under way; each ends
    /// within its time limit.
    pub(crate) async fn stop(&mut self) {
        self.close();
        self.calls.close();
        self.calls.wait().await;
    }
}

fn limits(request: &AgentDeployRequest, max_payload: usize) -> Limits {
    let usual = Limits::default();
    let asked = request.limits.unwrap_or_default();
    let memory = asked
        .memory_bytes
        .and_then(|bytes| usize::try_from(bytes).ok());
    Limits {
        time: asked
            .time_limit_ms
            .map_or(usual.time, Duration::from_millis),
        memory_bytes: memory.unwrap_or(usual.memory_bytes),
        output_bytes: max_payload.min(LONGEST_REPLY).saturating_sub(REPLY_MARGIN),
    }
}

/// The most memory that instructions of 32 bits can address.
const ADDRESSABLE: usize = 4 << 30;

fn compile(module: &[u8], limits: Limits) -> Result<hostler_wasm::Function, AgentRefusal> {
    let options = RuntimeOptions {
        concurrency: u32::try_from(super::places()).unwrap_or(2),
        memory_bytes: limits.memory_bytes.min(ADDRESSABLE),
    };
    let runtime = Runtime::new(options).map_err(|e| AgentRefusal::Provider(e.to_string()))?;
    runtime
        .compile(module)
        .map_err(|e| AgentRefusal::Validate(e.to_string()))
}

async fn serve(shared: Arc<Shared>, mut triggers: Subscriber, calls: TaskTracker) {
    let places = Arc::new(Semaphore::new(super::places()));
    let here = Handle::current();
    while let Some(trigger) = triggers.next().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let mut answer = Box::pin(Arc::clone(&shared).answer(trigger));
        if shared.is_quick.load(Relaxed) && futures::poll!(answer.as_mut()).is_ready() {
            continue;
        }
        let there = here.clone();
        calls.spawn_blocking(move || {
            there.block_on(answer);
            drop(place);
        });
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, trigger: Message) {
        let call = Call {
            subject: trigger_subject(&trigger),
            payload: trigger.payload.clone(),
            environment: &self.environment,
            limits: self.limits,
        };
        let report = self.function.run(call).await;
        self.is_quick.store(report.took <= QUICK, Relaxed);
        self.status.called(report.took);
        if !report.log.is_empty() {
            let text = String::from_utf8_lossy(&report.log).into_owned();
            self.outbox.log(&self.name, AgentLevel::ERROR, text);
        }
        let Some(reply) = trigger.reply else { return };
        let (headers, body) = reply_of(report);
        if let Err(error) = self.client.publish_with_headers(reply, headers, body).await {
            tracing::warn!(%error, "could not answer a trigger");
        }
    }
}

/// The concrete subject of the message that triggers us.
fn trigger_subject(trigger: &Message) -> &str {
    let headers = trigger.headers.as_ref();
    let subject = headers.and_then(|headers| headers.get(TRIGGER_SUBJECT_HEADER));
    subject.map_or("", |value| value.as_str())
}

fn reply_of(report: Report) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert(RUNTIME_HEADER, report.took.as_nanos().to_string());
    match report.answer {
        Ok(answer) => (headers, answer),
        Err(error) => {
            headers.insert(ERROR_HEADER, header_text(&error.to_string()));
            (headers, Bytes::new())
        }
    }
}

/// A text as a header may hold it: one line, not too long.
fn header_text(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(LONGEST_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_wire::agent::AgentLimits;

    #[test]
    fn an_error_text_becomes_one_short_line() {
        assert_eq!(header_text("a\r\nb\0c"), "a  b c");
        assert_eq!(
            header_text(&"ä".repeat(5_000)).chars().count(),
            LONGEST_ERROR
        );
    }

    #[test]
    fn limits_are_what_was_asked_for_and_what_a_reply_can_carry() {
        let mut request = AgentDeployRequest::default();
        assert_eq!(limits(&request, 1 << 20).time, Duration::from_secs(5));
        assert_eq!(limits(&request, 1 << 20).output_bytes, (1 << 20) - 4_096);
        assert_eq!(
            limits(&request, usize::MAX).output_bytes,
            (64 << 20) - 4_096
        );
        request.limits = Some(AgentLimits {
            memory_bytes: Some(9),
            time_limit_ms: Some(7),
            ..AgentLimits::default()
        });
        assert_eq!(limits(&request, 0).memory_bytes, 9);
        assert_eq!(limits(&request, 0).time, Duration::from_millis(7));
    }
}
