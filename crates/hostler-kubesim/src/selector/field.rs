//! Field selectors: `spec.nodeName=a,status.phase!=Running`. Only fields that
//! an API server indexes may be named.

use serde_json::Value;

use crate::catalog::Resource;

#[derive(Debug, Default, Clone)]
pub(crate) struct FieldSelector(Vec<Term>);

#[derive(Debug, Clone)]
struct Term {
    path: String,
    wanted: String,
    equal: bool,
}

/// Fields that may be asked for besides name and namespace.
fn known(resource: &Resource) -> &'static [&'static str] {
    match resource.plural {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "nodes" => &["spec.unschedulable"],
        "namespaces" => &["status.phase"],
        "secrets" => &["type"],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        _ => &[],
    }
}

impl FieldSelector {
    /// Reads one; the error is the label that is not served.
    pub(crate) fn parse(text: &str, resource: &Resource) -> Result<Self, String> {
        text.split(',')
            .filter(|term| !term.is_empty())
            .map(|term| parse_term(term, resource))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, value: &Value) -> bool {
        self.0.iter().all(|term| {
            let found = match value.pointer(&term.path) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => absent(&term.path).to_owned(),
                Some(other) => other.to_string(),
            };
            (found == term.wanted) == term.equal
        })
    }

    /// The name, when it asks for exactly one: then it is a read of that one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|term| term.equal && term.path == "/metadata/name")
            .map(|term| term.wanted.as_str())
    }
}

/// What a field counts as when it is not there.
fn absent(path: &str) -> &'static str {
    match path {
        "/spec/unschedulable" => "false",
        _ => "",
    }
}

fn parse_term(term: &str, resource: &Resource) -> Result<Term, String> {
    let (field, wanted, equal) = split(term)
        .ok_or_else(|| format!("invalid selector: '{term}'; can't understand '{term}'"))?;
    // The newer events name the same fields otherwise.
    let field = match field.strip_prefix("regarding.") {
        Some(rest) if resource.plural == "events" => format!("involvedObject.{rest}"),
        _ => field.to_owned(),
    };
    let always = ["metadata.name", "metadata.namespace"];
    if !always.contains(&field.as_str()) && !known(resource).contains(&field.as_str()) {
        return Err(format!("field label not supported: {field}"));
    }
    let path = match field.as_str() {
        "source" => "/source/component".to_owned(),
        other => format!("/{}", other.replace('.', "/")),
    };
    Ok(Term {
        path,
        wanted: wanted.to_owned(),
        equal,
    })
}

fn split(term: &str) -> Option<(&str, &str, bool)> {
    if let Some((field, wanted)) = term.split_once("!=") {
        return Some((field, wanted, false));
    }
    let (field, wanted) = term.split_once("==").or_else(|| term.split_once('='))?;
    Some((field, wanted, true))
}
