//! Subjects of the inner NATS. Each begins with `agentint.` and the slot, so
//! that one permission covers all that an agent may say and hear.

/// `agentint.{slot}.handshake`: agent asks node; the sign that it is ready.
pub fn handshake(slot: &str) -> String {
    of(slot, "handshake")
}

/// `agentint.{slot}.deploy`: node asks agent, once.
pub fn deploy(slot: &str) -> String {
    of(slot, "deploy")
}

/// `agentint.{slot}.undeploy`: node asks agent.
pub fn undeploy(slot: &str) -> String {
    of(slot, "undeploy")
}

/// `agentint.{slot}.trigger`: node asks agent, once per message.
pub fn trigger(slot: &str) -> String {
    of(slot, "trigger")
}

/// `agentint.{slot}.ping`: node asks agent how it is (ours).
pub fn ping(slot: &str) -> String {
    of(slot, "ping")
}

/// `agentint.{slot}.lease`: node tells agent when leased work must end (ours).
pub fn lease(slot: &str) -> String {
    of(slot, "lease")
}

/// `agentint.{slot}.artifact`: agent asks node for a piece of its artifact (ours).
pub fn artifact(slot: &str) -> String {
    of(slot, "artifact")
}

/// `agentint.{slot}.logs`: agent tells node.
pub fn logs(slot: &str) -> String {
    of(slot, "logs")
}

/// `agentint.{slot}.events.{type}`: agent tells node.
pub fn event(slot: &str, event_type: &str) -> String {
    format!("agentint.{slot}.events.{event_type}")
}

/// `agentint.{slot}.rpc.{namespace}.{workload}.{service}.{method}`: agent asks
/// node for a host service.
pub fn rpc(slot: &str, whose: (&str, &str), service: &str, method: &str) -> String {
    let (namespace, workload) = whose;
    format!("agentint.{slot}.rpc.{namespace}.{workload}.{service}.{method}")
}

/// Everything that concerns a slot.
pub fn slot_all(slot: &str) -> String {
    of(slot, ">")
}

/// What an agent's connection uses as prefix of its inboxes.
pub fn inbox_prefix(slot: &str) -> String {
    format!("_INBOX_{slot}")
}

/// All inboxes of an agent.
pub fn inbox_all(slot: &str) -> String {
    format!("{}.>", inbox_prefix(slot))
}

/// All handshakes of all slots.
pub const HANDSHAKE_ALL: &str = "agentint.*.handshake";
/// All events of all slots.
pub const EVENTS_ALL: &str = "agentint.*.events.*";
/// All log entries of all slots.
pub const LOGS_ALL: &str = "agentint.*.logs";
/// All calls of host services.
pub const RPC_ALL: &str = "agentint.*.rpc.*.*.*.*";
/// All requests for artifacts.
pub const ARTIFACT_ALL: &str = "agentint.*.artifact";

fn of(slot: &str, verb: &str) -> String {
    format!("agentint.{slot}.{verb}")
}

/// What an agent says to its node, by subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromAgent<'a> {
    /// It is ready.
    Handshake,
    /// Something happened; the type of the event.
    Event(&'a str),
    /// Something was written.
    Logs,
    /// It wants a piece of its artifact.
    Artifact,
    /// It calls a host service.
    Rpc {
        /// The namespace it claims; to be checked against the slot's.
        namespace: &'a str,
        /// The workload it claims to be; to be checked against the slot's.
        workload: &'a str,
        /// `kv`, `messaging`, `objectstore`, `http`.
        service: &'a str,
        /// What the service should do.
        method: &'a str,
    },
}

/// The slot of a subject, and what an agent says on it.
pub fn parse(subject: &str) -> Option<(&str, FromAgent<'_>)> {
    let (slot, rest) = subject.strip_prefix("agentint.")?.split_once('.')?;
    let tokens: Vec<&str> = rest.split('.').collect();
    let said = match tokens.as_slice() {
        ["handshake"] => FromAgent::Handshake,
        ["events", event_type] => FromAgent::Event(event_type),
        ["logs"] => FromAgent::Logs,
        ["artifact"] => FromAgent::Artifact,
        ["rpc", namespace, workload, service, method] => FromAgent::Rpc {
            namespace,
            workload,
            service,
            method,
        },
        _ => return None,
    };
    let whole = !slot.is_empty() && tokens.iter().all(|token| !token.is_empty());
    whole.then_some((slot, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_says_is_known_by_its_subject() {
        let check = |subject: &str, expected| assert_eq!(parse(subject), expected, "{subject}");
        check(&handshake("s1"), Some(("s1", FromAgent::Handshake)));
        let started = FromAgent::Event("workload_started");
        check(&event("s1", "workload_started"), Some(("s1", started)));
        check(&logs("s1"), Some(("s1", FromAgent::Logs)));
        check(&artifact("s1"), Some(("s1", FromAgent::Artifact)));
        let rpc = FromAgent::Rpc {
            namespace: "default",
            workload: "echo",
            service: "kv",
            method: "get",
        };
        check("agentint.s1.rpc.default.echo.kv.get", Some(("s1", rpc)));
        let made = super::rpc("s1", ("default", "echo"), "kv", "get");
        check(&made, Some(("s1", rpc)));
        for other in [
            "",
            "agentint.s1",
            "agentint..logs",
            "agentint.s1.events.",
            "x.s1.logs",
        ] {
            check(other, None);
        }
        check(&deploy("s1"), None);
        check(&lease("s1"), None);
    }
}
