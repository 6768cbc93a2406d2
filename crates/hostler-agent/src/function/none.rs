//! What stands for functions where there is no engine. None is ever made.

use std::future::{Ready, ready};

use hostler_wire::agent::{AgentDeployRequest, AgentRefusal};

use crate::agent::Agent;

/// A function that cannot be.
pub(crate) enum Function {}

impl Function {
    pub(crate) fn start(
        _agent: &Agent,
        _request: &AgentDeployRequest,
        _module: Vec<u8>,
    ) -> Ready<Result<Self, AgentRefusal>> {
        let text = "WebAssembly is not supported by this agent";
        ready(Err(AgentRefusal::Provider(text.to_owned())))
    }

    pub(crate) fn close(&self) {
        match *self {}
    }

    pub(crate) fn stop(&mut self) -> Ready<()> {
        match *self {}
    }
}
