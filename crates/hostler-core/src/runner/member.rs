//! Which runner a node is, by the labels with which it joined.
//!
//! A machine that we start is told its runner's id. One that a cluster starts
//! (a program on every machine of a pool) knows only what its machine is
//! called there: whoever holds that machine is its runner.

use super::{RunnerFacts, RunnerId, RunnerIdError};
use crate::Labels;

/// The label by which a machine says which runner it is.
pub const RUNNER: &str = "runner";
/// The label by which it says what its cluster calls it.
pub const CLUSTER_NODE: &str = "kubernetes-node";

/// The runner whose machine a node with these labels is, if it is any's. Of
/// several that hold one machine by mistake, it is the oldest's, and that of one
/// that is ending only if nobody else holds it. One that was made by hand makes
/// no node a runner.
pub fn runner_of<'a>(
    labels: &Labels,
    runners: impl IntoIterator<Item = &'a RunnerFacts>,
) -> Result<Option<RunnerId>, RunnerIdError> {
    if let Some(text) = labels.get(RUNNER) {
        return text.parse().map(Some);
    }
    let Some(name) = labels.get(CLUSTER_NODE) else {
        return Ok(None);
    };
    let holds = |one: &&RunnerFacts| {
        let machine = one.machine.as_ref();
        one.mark.is_some() && machine.is_some_and(|machine| machine.name == *name)
    };
    let holders = runners.into_iter().filter(holds);
    let oldest = holders.min_by_key(|one| (one.is_terminating, one.created, one.id.clone()));
    Ok(oldest.map(|one| one.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::{Machine, Mark};
    use super::*;
    use crate::Timestamp;
    use crate::id::JobId;

    fn runner(id: &str, created: i64, machine: &str) -> RunnerFacts {
        let pool = "default".parse().unwrap();
        let created = Timestamp::from_ms(created);
        let mark = Mark {
            job: JobId::from_parts(1, [0; 10]),
            index: 0,
            requested_at: created,
            deadline: created,
        };
        let mut facts = RunnerFacts::waiting(id.parse().unwrap(), pool, Some(mark), created);
        facts.machine = (!machine.is_empty()).then(|| Machine {
            name: machine.to_owned(),
            ..Machine::default()
        });
        facts
    }

    #[track_caller]
    fn check(labels: &[(&str, &str)], expected: Result<Option<&str>, ()>) {
        let ending = |mut facts: RunnerFacts| {
            facts.is_terminating = true;
            facts
        };
        let mut by_hand = runner("by-hand", 0, "node-4");
        by_hand.mark = None;
        let runners = [
            ending(runner("ending", 0, "node-1")),
            ending(runner("last", 0, "node-3")),
            by_hand,
            runner("young", 2, "node-1"),
            runner("old", 1, "node-1"),
            runner("elsewhere", 0, "node-2"),
            runner("waiting", 0, ""),
        ];
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let labels = labels.iter().map(owned).collect();
        let found = runner_of(&labels, &runners);
        let found = found.map(|id| id.map(|id| id.to_string())).map_err(drop);
        assert_eq!(found, expected.map(|id| id.map(str::to_owned)));
    }

    #[test]
    fn a_node_is_the_runner_that_it_names_or_that_holds_its_machine() {
        check(&[], Ok(None));
        check(&[("runner", "any")], Ok(Some("any")));
        check(&[("runner", "../x")], Err(()));
        check(&[("kubernetes-node", "node-1")], Ok(Some("old")));
        check(&[("kubernetes-node", "node-2")], Ok(Some("elsewhere")));
        check(&[("kubernetes-node", "node-3")], Ok(Some("last")));
        check(&[("kubernetes-node", "node-4")], Ok(None));
        check(&[("kubernetes-node", "node-5")], Ok(None));
        check(&[("kubernetes-node", "")], Ok(None));
        let both = [("runner", "any"), ("kubernetes-node", "node-1")];
        check(&both, Ok(Some("any")));
    }
}
