//! Every rule of the conversion, as a table.

use super::*;
use crate::rest::{Affinity, PlacementRules, Resources as WireResources};

fn service() -> WorkloadCreate {
    let artifact = "9f".repeat(32);
    let text = format!(r#"{{"name":"echo","kind":"elf","artifact":"{artifact}"}}"#);
    serde_json::from_str(&text).unwrap()
}

fn function() -> WorkloadCreate {
    WorkloadCreate {
        kind: Kind::Wasm,
        triggers: vec!["shout".to_owned()],
        ..service()
    }
}

/// The fields that are wrong with it.
fn wrong(wire: WorkloadCreate) -> Vec<String> {
    match NewWorkload::try_from(wire) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes
            .0
            .into_iter()
            .map(|mistake| mistake.field)
            .collect(),
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let made = NewWorkload::try_from(service()).unwrap();
    assert_eq!(made.project.as_str(), "default");
    assert_eq!(made.resources, Resources::of(100, 64));
    assert_eq!((made.pids, made.goal), (64, Goal::Running));
    assert_eq!(made.on_node_loss, OnNodeLoss::Restart);
    let made = NewWorkload::try_from(function()).unwrap();
    assert_eq!(made.triggers[0].as_str(), "shout");
}

#[test]
fn a_service_and_a_function_have_different_fields() {
    let strings = |text: &str| vec![text.to_owned()];
    let check = |wire, expected: &[&str]| assert_eq!(wrong(wire), expected);
    check(
        WorkloadCreate {
            argv: strings("-v"),
            essential: true,
            ..service()
        },
        &[],
    );
    check(
        WorkloadCreate {
            argv: strings("-v"),
            essential: true,
            ..function()
        },
        &["argv", "essential"],
    );
    check(
        WorkloadCreate {
            triggers: strings("a"),
            ..service()
        },
        &["triggers"],
    );
    check(
        WorkloadCreate {
            triggers: Vec::new(),
            ..function()
        },
        &["triggers"],
    );
}

#[test]
fn triggers_are_subjects_that_are_not_denied() {
    let check = |triggers: &[&str], expected: &[&str]| {
        let triggers = triggers.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(
            wrong(WorkloadCreate {
                triggers,
                ..function()
            }),
            expected
        );
    };
    check(&["a.b", "c.*", "d.>"], &[]);
    check(
        &["a b", "ok", ">", "$JS.API.INFO"],
        &["triggers[0]", "triggers[2]", "triggers[3]"],
    );
    check(&["a", "a"], &["triggers[1]"]);
}

#[test]
fn every_mistake_is_told_at_once_with_a_hint() {
    let wire = WorkloadCreate {
        name: "a/b".to_owned(),
        project: Some("..".to_owned()),
        artifact: "9F".repeat(32),
        argv: vec!["a\0".to_owned()],
        environment: BTreeMap::from([("1A=".to_owned(), "\0".to_owned())]),
        resources: Some(WireResources::default()),
        pids: Some(0),
        labels: Labels::from([("app ".to_owned(), "-".to_owned())]),
        placement: PlacementRules {
            affinity: vec![Affinity {
                topology: Some(String::new()),
                ..Affinity::default()
            }],
            ..PlacementRules::default()
        },
        goal: Some(Goal::Gone),
        description: "x".repeat(5_000),
        ..service()
    };
    let mistakes = NewWorkload::try_from(wire).unwrap_err();
    let fields: Vec<&str> = mistakes
        .0
        .iter()
        .map(|mistake| mistake.field.as_str())
        .collect();
    let expected = [
        "name",
        "project",
        "artifact",
        "argv[0]",
        "environment.1A=",
        "environment.1A=",
        "resources.cpu_millis",
        "resources.memory_bytes",
        "pids",
        "labels.app ",
        "labels.app ",
        "placement.affinity[0].topology",
        "goal",
        "description",
    ];
    assert_eq!(fields, expected);
    assert!(mistakes.0.iter().all(|mistake| !mistake.hint.is_empty()));
    assert!(
        mistakes
            .to_string()
            .starts_with("name: 'a/b' is not a name")
    );
}

#[test]
fn variables_that_differ_only_in_case_are_one_to_a_service() {
    let environment = BTreeMap::from(["a", "A", "b"].map(|name| (name.to_owned(), String::new())));
    let both = |wire| {
        wrong(WorkloadCreate {
            environment: environment.clone(),
            ..wire
        })
    };
    assert_eq!(both(service()), ["environment.a"]);
    assert_eq!(both(function()), [""; 0]);
}

#[test]
fn debug_output_holds_no_value_of_the_environment() {
    let environment = BTreeMap::from([("KEY".to_owned(), "hunter2".to_owned())]);
    let made = NewWorkload::try_from(WorkloadCreate {
        environment,
        ..service()
    })
    .unwrap();
    let text = format!("{made:?}");
    assert!(text.contains("KEY") && !text.contains("hunter2"));
}
