//! The policy that is shipped allows every call that is made, and no other.

// What tests share fails like a test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::Value;

const POLICY: &str = include_str!("../../../deploy/aws/policy.json");
const CALLS: [&str; 3] = [
    include_str!("../src/sdk/ec2.rs"),
    include_str!("../src/sdk/autoscaling.rs"),
    include_str!("../src/sdk/dry.rs"),
];
/// Asked for by no call of ours: a launch passes the template's role on.
const BESIDES: &str = "iam:PassRole";

/// The actions of the policy.
fn allowed() -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|one| match &one["Action"] {
        Value::Array(all) => all.clone(),
        single => vec![single.clone()],
    });
    let texts = actions.map(|action| action.as_str().unwrap().to_owned());
    texts.filter(|action| action != BESIDES).collect()
}

/// The actions of all calls: `self.ec2.run_instances()` is `ec2:RunInstances`.
fn called() -> BTreeSet<String> {
    let text: String = CALLS.concat().split_whitespace().collect();
    let mut actions = BTreeSet::new();
    for (field, service) in [("self.ec2.", "ec2"), ("self.groups.", "autoscaling")] {
        for rest in text.split(field).skip(1) {
            let (method, _) = rest.split_once('(').unwrap();
            actions.insert(format!("{service}:{}", pascal(method)));
        }
    }
    actions
}

fn pascal(method: &str) -> String {
    let words = method.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}

#[test]
fn the_policy_allows_every_call_and_no_other() {
    assert_eq!(allowed(), called());
}

#[test]
fn what_changes_something_is_allowed_on_the_fleet_alone() {
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    for statement in policy["Statement"].as_array().unwrap() {
        let is_read = statement["Sid"] == "See";
        assert_eq!(is_read, statement["Condition"].is_null(), "{statement:#}");
    }
}
