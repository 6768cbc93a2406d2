//! The Pod Security level "restricted", as far as plain pods can offend it.
//! A namespace asks for it by its `enforce` label.

use serde_json::Value;

use crate::catalog::{NAMESPACES, PODS};
use crate::control::facts::label;
use crate::json::{list, text};
use crate::refusal::Refusal;
use crate::world::World;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// Refuses a pod that its namespace's level does not let in.
pub(crate) fn check(world: &World, space: &str, pod: &Value) -> Result<(), Refusal> {
    let enforced = world.store.get(&NAMESPACES, "", space);
    if enforced.is_none_or(|found| label(found.value(), ENFORCE) != "restricted") {
        return Ok(());
    }
    let offences = offences(pod);
    if offences.is_empty() {
        return Ok(());
    }
    let why = format!(
        "violates PodSecurity \"restricted:latest\": {}",
        offences.join(", ")
    );
    Err(Refusal::forbidden(&PODS, text(pod, "/metadata/name"), &why))
}

fn offences(pod: &Value) -> Vec<String> {
    let host = ["hostNetwork", "hostPID", "hostIPC"];
    let uses = |what: &&str| pod["spec"][*what] == Value::Bool(true);
    let used: Vec<String> = host
        .iter()
        .filter(|what| uses(what))
        .map(|what| format!("{what}=true"))
        .collect();
    let mut offences = Vec::new();
    if !used.is_empty() {
        offences.push(format!("host namespaces ({})", used.join(", ")));
    }
    offences.extend(containers(pod, "hostPort", "uses a hostPort", has_port));
    offences.extend(containers(
        pod,
        "allowPrivilegeEscalation != false",
        "must set securityContext.allowPrivilegeEscalation=false",
        |_, one| one["securityContext"]["allowPrivilegeEscalation"] != Value::Bool(false),
    ));
    offences.extend(containers(
        pod,
        "unrestricted capabilities",
        "must set securityContext.capabilities.drop=[\"ALL\"]",
        |_, one| !list(one, "/securityContext/capabilities/drop").contains(&Value::from("ALL")),
    ));
    offences.extend(or_pod(
        pod,
        "runAsNonRoot != true",
        "must set securityContext.runAsNonRoot=true",
        |context| context["runAsNonRoot"] == Value::Bool(true),
    ));
    offences.extend(or_pod(
        pod,
        "seccompProfile",
        "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
        |context| {
            let profile = text(context, "/seccompProfile/type");
            ["RuntimeDefault", "Localhost"].contains(&profile)
        },
    ));
    offences
}

fn has_port(_: &Value, container: &Value) -> bool {
    let port = |port: &Value| port["hostPort"].as_i64().unwrap_or_default() != 0;
    list(container, "/ports").iter().any(port)
}

/// What containers offend; one sentence for all of them.
fn containers(
    pod: &Value,
    what: &str,
    must: &str,
    offends: impl Fn(&Value, &Value) -> bool,
) -> Option<String> {
    let offending = names(pod, |one| offends(pod, one));
    (!offending.is_empty()).then(|| format!("{what} ({offending} {must})"))
}

/// What may be said by the pod once, or by each of its containers.
fn or_pod(pod: &Value, what: &str, must: &str, good: impl Fn(&Value) -> bool) -> Option<String> {
    if good(&pod["spec"]["securityContext"]) {
        return None;
    }
    let offending = names(pod, |one| !good(&one["securityContext"]));
    (!offending.is_empty()).then(|| format!("{what} (pod or {offending} {must})"))
}

fn names(pod: &Value, wanted: impl Fn(&Value) -> bool) -> String {
    let all = list(pod, "/spec/containers").iter();
    let names: Vec<String> = all
        .filter(|one| wanted(one))
        .map(|one| format!("\"{}\"", text(one, "/name")))
        .collect();
    match names.len() {
        0 => String::new(),
        1 => format!("container {}", names[0]),
        _ => format!("containers {}", names.join(", ")),
    }
}
