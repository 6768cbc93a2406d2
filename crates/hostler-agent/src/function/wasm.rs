//! The WebAssembly engine, as functions use it. It gives its thread back at
//! every tick of its clock, so that any call may begin on the link's.

use std::sync::Arc;

use bytes::Bytes;
use hostler_wasm::{Answering, Ask, Function, Host, HostError, Runtime, RuntimeOptions};
use hostler_wire::agent::{AgentLevel, AgentRefusal};

use super::rpc::{Asked, Rpc};
use super::serve::{Call, Engine, Limits, Report};

/// The most memory that instructions of 32 bits can address.
const ADDRESSABLE: usize = 4 << 30;

/// A compiled module.
pub(crate) struct Wasm {
    function: Function,
    limits: hostler_wasm::Limits,
    host: Arc<dyn Host>,
}

/// The node is asked by a future, like everything else that a module waits for.
impl Host for Rpc {
    fn ask(&self, ask: Ask) -> Answering<'_> {
        let asked = Asked {
            service: ask.service,
            method: ask.method,
            name: ask.name,
            body: ask.body,
        };
        Box::pin(async move { self.exchange(asked).await.map_err(HostError) })
    }
}

impl Wasm {
    /// Compiles a module.
    pub(crate) fn compile(module: &[u8], limits: Limits, host: Rpc) -> Result<Self, AgentRefusal> {
        let limits = limits_of(limits);
        let options = RuntimeOptions {
            concurrency: u32::try_from(super::places()).unwrap_or(2),
            memory_bytes: limits.memory_bytes.min(ADDRESSABLE),
        };
        let runtime = Runtime::new(options).map_err(|e| AgentRefusal::Provider(e.to_string()))?;
        let function = runtime
            .compile(module)
            .map_err(|e| AgentRefusal::Validate(e.to_string()))?;
        let host = Arc::new(host);
        Ok(Self {
            function,
            limits,
            host,
        })
    }
}

impl Engine for Wasm {
    async fn run(&self, call: Call, _quick: bool) -> Report {
        let call = hostler_wasm::Call {
            subject: &call.subject,
            payload: call.payload,
            environment: &call.environment,
            limits: self.limits,
            host: Some(Arc::clone(&self.host)),
        };
        let report = self.function.run(call).await;
        Report {
            answer: report.answer.map_err(|error| error.to_string()),
            lines: lines(&report.log),
            took: report.took,
        }
    }
}

fn lines(log: &Bytes) -> Vec<(AgentLevel, String)> {
    if log.is_empty() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(log).into_owned();
    vec![(AgentLevel::ERROR, text)]
}

fn limits_of(limits: Limits) -> hostler_wasm::Limits {
    let usual = hostler_wasm::Limits::default();
    hostler_wasm::Limits {
        time: limits.time.unwrap_or(usual.time),
        memory_bytes: limits.memory_bytes.unwrap_or(usual.memory_bytes),
        output_bytes: limits.output_bytes,
    }
}
