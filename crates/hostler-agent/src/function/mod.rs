//! Functions: scripts and WebAssembly modules, run once per trigger (protocol
//! 6.8 to 6.10).
//!
//! An engine is made when there is something to run on it, not before: an idle
//! agent stays small. How calls are taken, placed and answered is the same for
//! all engines ([`serve`]). An agent built without the feature of an engine
//! refuses what needs it.

#[cfg(feature = "js")]
mod js;
#[cfg(any(feature = "wasm", feature = "js"))]
mod rpc;
#[cfg(any(feature = "wasm", feature = "js"))]
mod serve;
#[cfg(feature = "wasm")]
mod wasm;

#[cfg(not(any(feature = "wasm", feature = "js")))]
mod none;

use hostler_wire::agent::{AgentDeployRequest, AgentRefusal};

use crate::agent::Agent;

#[cfg(not(any(feature = "wasm", feature = "js")))]
pub(crate) use none::Function;
#[cfg(any(feature = "wasm", feature = "js"))]
pub(crate) use serve::Function;

/// What functions are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// A WebAssembly module.
    Wasm,
    /// A script.
    Js,
}

impl Language {
    /// Whether this agent has its engine.
    pub(crate) const fn is_known(self) -> bool {
        match self {
            Self::Wasm => cfg!(feature = "wasm"),
            Self::Js => cfg!(feature = "js"),
        }
    }

    /// Why it is refused by an agent without its engine.
    pub(crate) const fn unknown(self) -> &'static str {
        match self {
            Self::Wasm => "WebAssembly is not supported by this agent",
            Self::Js => "V8 is not supported on this platform",
        }
    }
}

/// Compiles a function and begins to answer its triggers.
pub(crate) async fn start(
    agent: &Agent,
    request: &AgentDeployRequest,
    (language, artifact): (Language, Vec<u8>),
) -> Result<Function, AgentRefusal> {
    match language {
        #[cfg(feature = "wasm")]
        Language::Wasm => {
            let limits = serve::limits(request, agent);
            let host = rpc::Rpc::new(agent, request);
            let compile = move || wasm::Wasm::compile(&artifact, limits, host);
            let engine = serve::compile(compile).await?;
            serve::start(agent, request, engine).await
        }
        #[cfg(feature = "js")]
        Language::Js => {
            let limits = serve::limits(request, agent);
            let host = js::Waiting::new(rpc::Rpc::new(agent, request));
            let engine = serve::compile(move || js::Js::compile(&artifact, limits, host)).await?;
            serve::start(agent, request, engine).await
        }
        #[cfg(not(all(feature = "wasm", feature = "js")))]
        other => {
            let _ = (agent, request, artifact);
            Err(AgentRefusal::Provider(other.unknown().to_owned()))
        }
    }
}

/// Calls at a time: as many as there are processors, within reason.
pub(crate) fn places() -> usize {
    std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 8))
}
