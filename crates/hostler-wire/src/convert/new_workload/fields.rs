//! The rules, field by field.

use std::collections::{BTreeMap, BTreeSet};

use hostler_core::workload::{Goal, Kind};
use hostler_core::{Labels, Name, Resources};

use super::limits;
use crate::convert::mistake::Collector;
use crate::nats::TriggerSubject;
use crate::rest::{Affinity, PlacementRules};

pub(in crate::convert) fn name(look: &mut Collector, field: &str, text: &str) -> Option<Name> {
    look.note(text.parse(), field, "choose a name such as 'echo-2'")
}

pub(super) fn digest(look: &mut Collector, artifact: &str) {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    look.demand(
        artifact.len() == 64 && artifact.bytes().all(hex),
        "artifact",
        &format!("'{artifact}' is not a SHA-256 in lower-case hex"),
        "upload the artifact and give its digest: 64 of the characters 0-9 and a-f",
    );
}

pub(super) fn argv(look: &mut Collector, kind: Kind, argv: &[String]) {
    let bytes: usize = argv.iter().map(String::len).sum();
    look.demand(
        argv.is_empty() || !kind.is_function(),
        "argv",
        "a function takes no arguments",
        "leave it out, or put the values into environment",
    );
    look.demand(
        argv.len() <= limits::ARGUMENTS && bytes <= limits::ARGUMENT_BYTES,
        "argv",
        &format!("{} arguments of {bytes} bytes are too much", argv.len()),
        &format!(
            "give at most {} arguments of together {} bytes",
            limits::ARGUMENTS,
            limits::ARGUMENT_BYTES
        ),
    );
    for (at, argument) in argv.iter().enumerate() {
        let field = format!("argv[{at}]");
        look.demand(
            !argument.contains('\0'),
            &field,
            "it holds a NUL",
            "take the NUL out",
        );
    }
}

pub(super) fn environment(look: &mut Collector, kind: Kind, map: &BTreeMap<String, String>) {
    let bytes: usize = map
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    look.demand(
        map.len() <= limits::VARIABLES && bytes <= limits::VARIABLE_BYTES,
        "environment",
        &format!("{} variables of {bytes} bytes are too much", map.len()),
        &format!(
            "give at most {} variables of together {} bytes",
            limits::VARIABLES,
            limits::VARIABLE_BYTES
        ),
    );
    let mut upper = BTreeSet::new();
    for (name, value) in map {
        let field = format!("environment.{name}");
        look.demand(
            is_variable(name),
            &field,
            "this is no name of a variable",
            "use letters, digits and '_', not a digit first",
        );
        look.demand(
            !value.contains('\0'),
            &field,
            "its value holds a NUL",
            "take the NUL out",
        );
        look.demand(
            upper.insert(name.to_uppercase()) || kind.is_function(),
            &field,
            "another variable has this name in another case, and a service gets upper case",
            "keep one of the two",
        );
    }
}

fn is_variable(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(letter)
        && name
            .bytes()
            .all(|byte| letter(byte) || byte.is_ascii_digit())
}

pub(super) fn triggers(look: &mut Collector, kind: Kind, texts: &[String]) -> Vec<TriggerSubject> {
    look.demand(
        texts.is_empty() || kind.is_function(),
        "triggers",
        "a service is not triggered",
        "leave it out; a service subscribes what it likes by itself",
    );
    look.demand(
        !texts.is_empty() || !kind.is_function(),
        "triggers",
        "a function needs at least one subject",
        "name the subject whose messages it shall answer, such as 'shout'",
    );
    look.demand(
        texts.len() <= limits::TRIGGERS,
        "triggers",
        &format!("{} subjects are too many", texts.len()),
        &format!(
            "give at most {}; a pattern such as 'a.*' stands for many",
            limits::TRIGGERS
        ),
    );
    let mut seen = BTreeSet::new();
    let mut good = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        let field = format!("triggers[{at}]");
        look.demand(
            seen.insert(text),
            &field,
            "it is named twice",
            "name it once",
        );
        let hint = "choose a subject of your own, such as 'shout' or 'calc.*'";
        good.extend(look.note(text.parse(), &field, hint));
    }
    good
}

pub(super) fn essential(look: &mut Collector, kind: Kind, essential: bool) {
    look.demand(
        !essential || !kind.is_function(),
        "essential",
        "a function is not started again; it runs once per message",
        "leave it out",
    );
}

pub(super) fn amounts(look: &mut Collector, resources: Resources, pids: u32) {
    let (cpu, memory) = (resources.cpu.as_millis(), resources.memory.get());
    look.demand(
        limits::CPU_MILLIS.contains(&cpu),
        "resources.cpu_millis",
        &format!("{cpu} is out of bounds"),
        "give thousandths of a core, 1 to 1024000",
    );
    look.demand(
        limits::MEMORY_BYTES.contains(&memory),
        "resources.memory_bytes",
        &format!("{memory} is out of bounds"),
        "give bytes, one MiB (1048576) to 16 TiB",
    );
    look.demand(
        limits::PIDS.contains(&pids),
        "pids",
        &format!("{pids} is out of bounds"),
        "give a number of processes, 1 to 32768",
    );
}

pub(in crate::convert) fn labels(look: &mut Collector, field: &str, labels: &Labels) {
    look.demand(
        labels.len() <= limits::LABELS,
        field,
        &format!("{} labels are too many", labels.len()),
        &format!("give at most {}", limits::LABELS),
    );
    for (key, value) in labels {
        label_key(look, &format!("{field}.{key}"), key);
        look.demand(
            value.is_empty() || is_label(value),
            &format!("{field}.{key}"),
            &format!("'{value}' is not a label's value"),
            LABEL_HINT,
        );
    }
}

const LABEL_HINT: &str = "use up to 63 letters, digits, '-', '_', '.' and '/', a letter or digit \
     first and last";

fn label_key(look: &mut Collector, field: &str, key: &str) {
    let problem = format!("'{key}' is not a label's key");
    look.demand(is_label(key), field, &problem, LABEL_HINT);
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let ends = [text.bytes().next(), text.bytes().last()];
    text.len() <= limits::LABEL_LENGTH
        && text.bytes().all(inner)
        && ends
            .iter()
            .all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

pub(in crate::convert) fn rules(look: &mut Collector, rules: &PlacementRules) {
    labels(look, "placement.node_labels", &rules.node_labels);
    affinities(look, "placement.affinity", &rules.affinity);
    affinities(look, "placement.anti_affinity", &rules.anti_affinity);
    if let Some(spread) = &rules.spread {
        labels(look, "placement.spread.labels", &spread.labels);
        topology(
            look,
            "placement.spread.topology",
            spread.topology.as_deref(),
        );
    }
}

fn affinities(look: &mut Collector, field: &str, wishes: &[Affinity]) {
    look.demand(
        wishes.len() <= limits::AFFINITIES,
        field,
        &format!("{} wishes are too many", wishes.len()),
        &format!("give at most {}", limits::AFFINITIES),
    );
    for (at, wish) in wishes.iter().enumerate() {
        labels(look, &format!("{field}[{at}].labels"), &wish.labels);
        topology(
            look,
            &format!("{field}[{at}].topology"),
            wish.topology.as_deref(),
        );
    }
}

fn topology(look: &mut Collector, field: &str, key: Option<&str>) {
    if let Some(key) = key {
        label_key(look, field, key);
    }
}

pub(super) fn goal(look: &mut Collector, goal: Goal) {
    look.demand(
        goal != Goal::Gone,
        "goal",
        "a new workload cannot be gone",
        "say 'running' or 'stopped'; DELETE makes a workload go",
    );
}

pub(in crate::convert) fn description(look: &mut Collector, text: &str) {
    look.demand(
        text.len() <= limits::DESCRIPTION_BYTES,
        "description",
        &format!("{} bytes are too many", text.len()),
        &format!("give at most {}", limits::DESCRIPTION_BYTES),
    );
}
