//! Whether a body is what its path says, and well-formed enough to keep.

use serde_json::Value;

use crate::catalog::Resource;
use crate::json::{list, text};
use crate::refusal::Refusal;

/// Kind and version, when they are said, are those of the path; maps are maps.
pub(crate) fn envelope(resource: &Resource, value: &Value) -> Result<(), Refusal> {
    let same = |path, wanted: &str| ["", wanted].contains(&text(value, path));
    if !same("/kind", resource.kind) || !same("/apiVersion", &resource.api_version()) {
        let message = format!(
            "{} in version \"{}\" cannot be handled as a {}: no kind \"{}\" matches",
            text(value, "/kind"),
            text(value, "/apiVersion"),
            resource.kind,
            text(value, "/kind"),
        );
        return Err(Refusal::bad(message));
    }
    let maps = [
        "/metadata",
        "/metadata/labels",
        "/metadata/annotations",
        "/spec",
        "/status",
    ];
    let is_map = |path: &&str| {
        value
            .pointer(path)
            .is_none_or(|one| one.is_object() || one.is_null())
    };
    match maps.iter().find(|path| !is_map(path)) {
        Some(path) => Err(Refusal::bad(format!(
            "{} in version \"{}\" cannot be handled as a {}: {path} is not a map",
            resource.kind, resource.version, resource.kind
        ))),
        None if !value.is_object() => Err(Refusal::bad("the body is not an object")),
        None => Ok(()),
    }
}

/// A name is there and is a DNS name.
pub(crate) fn name(resource: &Resource, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        let why = "metadata.name: Required value: name or generateName is required";
        return Err(Refusal::invalid(resource, name, why));
    }
    // Roles and bindings may be called almost anything.
    if resource.group.starts_with("rbac") {
        return Ok(());
    }
    let end = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let inner = |letter: char| end(letter) || matches!(letter, '-' | '.');
    let good = name.len() <= 253
        && name.chars().all(inner)
        && name.starts_with(end)
        && name.ends_with(end);
    if good {
        return Ok(());
    }
    let why = format!(
        "metadata.name: Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of \
         lower case alphanumeric characters, '-' or '.', and must start and end with an \
         alphanumeric character"
    );
    Err(Refusal::invalid(resource, name, &why))
}

/// The namespace of the body, when it says one, is that of the path.
pub(crate) fn place(resource: &Resource, space: &str, value: &Value) -> Result<(), Refusal> {
    let said = text(value, "/metadata/namespace");
    if said.is_empty() || (resource.namespaced && said == space) {
        return Ok(());
    }
    Err(Refusal::bad(
        "the namespace of the provided object does not match the namespace sent on the request",
    ))
}

/// A pod has containers, each with a name and an image.
pub(crate) fn content(resource: &Resource, value: &Value) -> Result<(), Refusal> {
    if resource.plural != "pods" {
        return Ok(());
    }
    let named = text(value, "/metadata/name");
    let containers = list(value, "/spec/containers");
    if containers.is_empty() {
        let why = "spec.containers: Required value";
        return Err(Refusal::invalid(resource, named, why));
    }
    for (index, container) in containers.iter().enumerate() {
        for field in ["name", "image"] {
            if text(container, &format!("/{field}")).is_empty() {
                let why = format!("spec.containers[{index}].{field}: Required value");
                return Err(Refusal::invalid(resource, named, &why));
            }
        }
    }
    Ok(())
}

/// Of a pod's spec, only images, tolerations and the deadline may change.
pub(crate) fn unchanged_but_for_what_may(
    resource: &Resource,
    before: &Value,
    after: &Value,
) -> Result<(), Refusal> {
    if resource.plural != "pods" || fixed(before) == fixed(after) {
        return Ok(());
    }
    let why = "spec: Forbidden: pod updates may not change fields other than \
               `spec.containers[*].image`,`spec.initContainers[*].image`,\
               `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
               tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it \
               was previously negative)";
    Err(Refusal::invalid(
        resource,
        text(before, "/metadata/name"),
        why,
    ))
}

fn fixed(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    spec["tolerations"] = Value::Null;
    spec["activeDeadlineSeconds"] = Value::Null;
    if let Some(containers) = spec["containers"].as_array_mut() {
        for container in containers.iter_mut().filter(|one| one.is_object()) {
            container["image"] = Value::Null;
        }
    }
    spec
}
