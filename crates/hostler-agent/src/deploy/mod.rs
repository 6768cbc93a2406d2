//! From a request to a running workload (protocol 2.6, second table):
//! decode, check, fetch, validate, start. Each step has its own words for
//! refusing, which are the original's.

mod artifact;
mod environment;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use hostler_wire::agent::{AgentDeployRequest, AgentRefusal};

use crate::agent::Agent;
use crate::function::{self, Function, Language};
use crate::service::{Blank, Launch, Service, elf_check};

/// What runs.
pub(crate) enum Workload {
    Service(Service),
    Function(Function),
}

/// The artifact and how it will be run: all that is known before the start.
pub(crate) enum Prepared {
    Service(Blank, Box<Launch>),
    Function(Language, Vec<u8>),
}

/// Fetches and checks the artifact. May be dropped at any point.
pub(crate) async fn prepare(
    agent: &Agent,
    request: &AgentDeployRequest,
) -> Result<Prepared, AgentRefusal> {
    match kind(&request.workload_type)? {
        Kind::Service => {
            let blank = Blank::spawn(&agent.work, &agent.reaper)
                .map_err(|error| AgentRefusal::Start(error.to_string()))?;
            let launch = service_prepare(agent, request).await?;
            Ok(Prepared::Service(blank, Box::new(launch)))
        }
        Kind::Function(language) => {
            let module = artifact::to_memory(&agent.client, &agent.slot, request).await;
            let module = module.map_err(|error| AgentRefusal::Artifact(error.to_string()))?;
            Ok(Prepared::Function(language, module))
        }
    }
}

/// Starts it. Not to be dropped: a process may have been made.
pub(crate) async fn start(
    agent: &Agent,
    request: &AgentDeployRequest,
    prepared: Prepared,
) -> Result<Workload, AgentRefusal> {
    agent.status.count_start();
    match prepared {
        Prepared::Service(blank, launch) => {
            let service = Service::start(blank, &launch, agent.surroundings()).await;
            let service = service.map_err(|error| AgentRefusal::Start(error.to_string()))?;
            agent.status.running(service.pid());
            Ok(Workload::Service(service))
        }
        Prepared::Function(language, artifact) => {
            let function = function::start(agent, request, (language, artifact)).await?;
            agent.status.running(None);
            Ok(Workload::Function(function))
        }
    }
}

enum Kind {
    Service,
    Function(Language),
}

fn kind(name: &str) -> Result<Kind, AgentRefusal> {
    let refused = |text: &str| Err(AgentRefusal::Provider(text.to_owned()));
    let function = |language: Language| {
        let known = language.is_known().then_some(Kind::Function(language));
        known.map_or_else(|| refused(language.unknown()), Ok)
    };
    match name.to_ascii_lowercase().as_str() {
        "elf" | "native" => Ok(Kind::Service),
        "wasm" => function(Language::Wasm),
        "v8" => function(Language::Js),
        "oci" => refused("oci execution provider not yet implemented"),
        _ => refused("invalid execution provider specified"),
    }
}

async fn service_prepare(
    agent: &Agent,
    request: &AgentDeployRequest,
) -> Result<Launch, AgentRefusal> {
    let environment = environment::service(request).map_err(AgentRefusal::Validate)?;
    let program = agent.work.join(format!("workload-{}", agent.slot));
    artifact::to_file(&agent.client, &agent.slot, request, &program)
        .await
        .map_err(|error| AgentRefusal::Artifact(error.to_string()))?;
    elf_check(&program).map_err(|error| AgentRefusal::Validate(error.to_string()))?;
    std::fs::set_permissions(&program, Permissions::from_mode(0o700))
        .map_err(|error| AgentRefusal::Executable(error.to_string()))?;
    Ok(Launch {
        program,
        name: request.workload_name.clone(),
        argv: request.argv.clone(),
        environment,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_without_a_provider_is_refused_in_the_original_s_words() {
        let check = |name, tail: &str| {
            let refusal = kind(name).err().map(|refusal| refusal.to_string());
            let expected = format!("Failed to initialize workload execution provider; {tail}");
            assert_eq!(refusal, Some(expected));
        };
        check("oci", "oci execution provider not yet implemented");
        if !Language::Js.is_known() {
            check("V8", "V8 is not supported on this platform");
        }
        check("exe", "invalid execution provider specified");
        assert!(matches!(kind("ELF"), Ok(Kind::Service)));
        assert!(matches!(kind("native"), Ok(Kind::Service)));
    }
}
