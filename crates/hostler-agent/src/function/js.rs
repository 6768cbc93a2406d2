//! The JavaScript engine, as functions use it.
//!
//! It cannot pause a call, so one that is begun on the link's thread and takes
//! longer than a moment, or asks its host, is thrown away and begun anew on a
//! thread of its own: nothing of it has been seen by anybody.
//!
//! It interrupts nearly everything; for the rest there is an alarm. A call
//! that is overdue by far cannot be ended, only the agent can: the node sees
//! it and starts the workload again, in another slot.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hostler_js::{Alarm, Ask, Host, HostError, Level, Script};
use hostler_wire::agent::{AgentLevel, AgentRefusal};
use tokio::runtime::Handle;

use super::rpc::{Asked, Rpc};
use super::serve::{Call, Engine, Limits, Report};

/// How long a call may hold the link's thread.
const BRIEF: Duration = Duration::from_millis(2);

/// How long past its limit a call may go on. It is looked at by the clock, and
/// a machine that is short of processors must not be taken for a stuck call.
const OVERDUE: Duration = Duration::from_secs(3);

/// What is left of a call's time for saying that its host did not answer.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// The node, asked on a function's own thread, which waits while the link's
/// thread does the talking.
pub(crate) struct Waiting {
    rpc: Rpc,
    link: Handle,
}

impl Waiting {
    /// Called on the link's runtime.
    pub(crate) fn new(rpc: Rpc) -> Self {
        let link = Handle::current();
        Self { rpc, link }
    }
}

impl Host for Waiting {
    fn ask(&self, ask: Ask) -> Result<Vec<Bytes>, HostError> {
        let what = format!("{}.{}", ask.service, ask.method);
        let patience = ask.left.saturating_sub(LAST_WORDS);
        let asked = Asked {
            service: ask.service,
            method: ask.method,
            name: ask.name,
            body: ask.body,
        };
        let (tell, told) = mpsc::channel();
        let rpc = self.rpc.clone();
        self.link.spawn(async move {
            let answers = rpc.exchange(asked).await;
            // Nobody listens any more when the call's time was over.
            let _ = tell.send(answers);
        });
        match told.recv_timeout(patience) {
            Ok(answers) => answers.map_err(HostError),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Err(HostError(format!("{what}: nats: timeout")))
            }
        }
    }
}

/// A compiled script.
pub(crate) struct Js {
    script: Script,
    limits: hostler_js::Limits,
    host: Arc<dyn Host>,
    alarm: Alarm,
}

impl Js {
    /// Compiles a script.
    pub(crate) fn compile(
        source: &[u8],
        limits: Limits,
        host: Waiting,
    ) -> Result<Self, AgentRefusal> {
        let limits = limits_of(limits);
        let alarm = Alarm::start(stuck).map_err(|e| AgentRefusal::Provider(e.to_string()))?;
        let _watch = alarm.watch(Instant::now() + limits.time + OVERDUE);
        let script = Script::compile(source, limits)
            .map_err(|error| AgentRefusal::Validate(error.to_string()))?;
        Ok(Self {
            script,
            limits,
            host: Arc::new(host),
            alarm,
        })
    }

    fn call(&self, call: &Call, brief: Option<Duration>) -> Option<hostler_js::Report> {
        let _watch = self
            .alarm
            .watch(Instant::now() + self.limits.time + OVERDUE);
        self.script.run(&hostler_js::Call {
            subject: &call.subject,
            payload: &call.payload,
            limits: self.limits,
            host: Some(Arc::clone(&self.host)),
            brief,
        })
    }
}

impl Engine for Js {
    async fn run(&self, call: Call, quick: bool) -> Report {
        if quick {
            if let Some(report) = self.call(&call, Some(BRIEF)) {
                return report_of(report);
            }
            // What follows is polled on another thread.
            tokio::task::yield_now().await;
        }
        match self.call(&call, None) {
            Some(report) => report_of(report),
            // Only brief calls give none.
            None => Report {
                answer: Err("the function could not be started".to_owned()),
                lines: Vec::new(),
                took: Duration::MAX,
            },
        }
    }
}

fn report_of(report: hostler_js::Report) -> Report {
    let lines = report.lines.into_iter();
    Report {
        answer: report.answer.map_err(|error| error.to_string()),
        lines: lines.map(|line| (level(line.level), line.text)).collect(),
        took: report.took,
    }
}

const fn level(level: Level) -> AgentLevel {
    match level {
        Level::Error => AgentLevel::ERROR,
        Level::Warn => AgentLevel::WARN,
        Level::Info => AgentLevel::INFO,
        Level::Debug => AgentLevel::DEBUG,
    }
}

fn limits_of(limits: Limits) -> hostler_js::Limits {
    let usual = hostler_js::Limits::default();
    hostler_js::Limits {
        time: limits.time.unwrap_or(usual.time),
        memory_bytes: limits.memory_bytes.unwrap_or(usual.memory_bytes),
        output_bytes: limits.output_bytes,
    }
}

/// There is a call that nothing can end.
fn stuck() {
    tracing::error!("a call does not end; ending the agent");
    std::process::exit(i32::from(crate::STATUS_BROKEN));
}
