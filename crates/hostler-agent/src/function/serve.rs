//! How triggers are taken and answered, whatever engine runs the function.
//! Each is answered, at once when it fails: the original would leave the
//! caller waiting.
//!
//! Calls of a function that was quick last time begin on the thread of the
//! link: to wake another thread takes longer than they do. One that gives that
//! thread back before it has ended, and all calls of a slow function, compute
//! on a thread of their own, so that a busy function never holds up the link.
//! What waits for a place waits in the subscription.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
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

/// What runs functions of one language.
pub(crate) trait Engine: Send + Sync + 'static {
    /// Runs the function once. Polled first on the link's thread if `quick`,
    /// and there it may hold the thread only for moments; then, or else, on a
    /// thread of its own.
    fn run(&self, call: Call, quick: bool) -> impl Future<Output = Report> + Send;
}

/// One message for a function.
pub(crate) struct Call {
    /// The concrete subject of the message.
    pub(crate) subject: String,
    /// The message.
    pub(crate) payload: Bytes,
    /// The function's environment.
    pub(crate) environment: Arc<[(String, String)]>,
}

/// How a call went.
pub(crate) struct Report {
    /// The answer, or why there is none.
    pub(crate) answer: Result<Bytes, String>,
    /// What the function wrote.
    pub(crate) lines: Vec<(AgentLevel, String)>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// What a call may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// If anything was said of its time.
    pub(crate) time: Option<Duration>,
    /// If anything was said of its memory.
    pub(crate) memory_bytes: Option<usize>,
    /// The longest answer.
    pub(crate) output_bytes: usize,
}

/// A function that answers triggers.
pub(crate) struct Function {
    calls: TaskTracker,
    closing: CancellationToken,
}

/// What every call needs.
struct Shared<E> {
    engine: E,
    name: String,
    environment: Arc<[(String, String)]>,
    client: Client,
    outbox: Outbox,
    status: Arc<Status>,
    /// Whether the last call was.
    is_quick: AtomicBool,
}

impl Function {
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

/// What this request lets a call use.
pub(crate) fn limits(request: &AgentDeployRequest, agent: &Agent) -> Limits {
    limits_of(request, agent.client.max_payload())
}

fn limits_of(request: &AgentDeployRequest, max_payload: usize) -> Limits {
    let asked = request.limits.unwrap_or_default();
    let memory = asked.memory_bytes.map(usize::try_from);
    Limits {
        time: asked.time_limit_ms.map(Duration::from_millis),
        memory_bytes: memory.and_then(Result::ok),
        output_bytes: max_payload.min(LONGEST_REPLY).saturating_sub(REPLY_MARGIN),
    }
}

/// Compiles on a thread of its own, because it may take long.
pub(crate) async fn compile<E: Engine>(
    work: impl FnOnce() -> Result<E, AgentRefusal> + Send + 'static,
) -> Result<E, AgentRefusal> {
    let compiled = tokio::task::spawn_blocking(work).await;
    compiled.unwrap_or_else(|error| Err(AgentRefusal::Provider(error.to_string())))
}

/// Begins to answer triggers.
pub(crate) async fn start<E: Engine>(
    agent: &Agent,
    request: &AgentDeployRequest,
    engine: E,
) -> Result<Function, AgentRefusal> {
    let triggers = agent.client.subscribe(subject::trigger(&agent.slot)).await;
    let triggers = triggers.map_err(|error| AgentRefusal::Start(error.to_string()))?;
    let environment = request.environment.clone().unwrap_or_default();
    let shared = Shared {
        engine,
        name: request.workload_name.clone(),
        environment: environment.into_iter().collect(),
        client: agent.client.clone(),
        outbox: agent.outbox.clone(),
        status: Arc::clone(&agent.status),
        is_quick: AtomicBool::new(true),
    };
    let started = Function {
        calls: TaskTracker::new(),
        closing: CancellationToken::new(),
    };
    let serving = serve(Arc::new(shared), triggers, started.calls.clone());
    let closing = started.closing.clone();
    tokio::spawn(async move { closing.run_until_cancelled(serving).await });
    Ok(started)
}

async fn serve<E: Engine>(shared: Arc<Shared<E>>, mut triggers: Subscriber, calls: TaskTracker) {
    let places = Arc::new(Semaphore::new(super::places()));
    let here = Handle::current();
    while let Some(trigger) = triggers.next().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let quick = shared.is_quick.load(Relaxed);
        let mut answer = Box::pin(Arc::clone(&shared).answer(trigger, quick));
        if quick && futures::poll!(answer.as_mut()).is_ready() {
            continue;
        }
        let there = here.clone();
        calls.spawn_blocking(move || {
            there.block_on(answer);
            drop(place);
        });
    }
}

impl<E: Engine> Shared<E> {
    async fn answer(self: Arc<Self>, trigger: Message, quick: bool) {
        let call = Call {
            subject: trigger_subject(&trigger).to_owned(),
            payload: trigger.payload.clone(),
            environment: Arc::clone(&self.environment),
        };
        let report = self.engine.run(call, quick).await;
        self.is_quick.store(report.took <= QUICK, Relaxed);
        self.status.called(report.took);
        for (level, text) in report.lines {
            self.outbox.log(&self.name, level, text);
        }
        let Some(reply) = trigger.reply else { return };
        let (headers, body) = reply_of(report.answer, report.took);
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

fn reply_of(answer: Result<Bytes, String>, took: Duration) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert(RUNTIME_HEADER, took.as_nanos().to_string());
    match answer {
        Ok(answer) => (headers, answer),
        Err(error) => {
            headers.insert(ERROR_HEADER, header_text(&error));
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
        assert_eq!(limits_of(&request, 1 << 20).time, None);
        assert_eq!(limits_of(&request, 1 << 20).output_bytes, (1 << 20) - 4_096);
        let longest = limits_of(&request, usize::MAX).output_bytes;
        assert_eq!(longest, (64 << 20) - 4_096);
        request.limits = Some(AgentLimits {
            memory_bytes: Some(9),
            time_limit_ms: Some(7),
            ..AgentLimits::default()
        });
        assert_eq!(limits_of(&request, 0).memory_bytes, Some(9));
        let time = Some(Duration::from_millis(7));
        assert_eq!(limits_of(&request, 0).time, time);
    }
}
