//! The status, its reason and the facts they follow from, as tables.

use super::*;
use crate::id::JobId;
use crate::runner::{Machine, Mark};
use Membership::{Awaited, NotAsked, Registered};

const DEADLINE: Timestamp = Timestamp::from_ms(600_000);

fn waiting() -> RunnerFacts {
    let mark = Mark {
        job: JobId::from_parts(0, [0; 10]),
        index: 0,
        requested_at: Timestamp::from_ms(0),
        deadline: DEADLINE,
    };
    RunnerFacts::waiting(
        "node-placeholder-a".parse().unwrap(),
        "default".parse().unwrap(),
        Some(mark),
        Timestamp::from_ms(0),
    )
}

/// On a machine that works, without a runner program.
fn placed() -> RunnerFacts {
    let machine = Machine {
        name: "node-1".into(),
        is_ready: Some(true),
        exists: Some(true),
        ..Machine::default()
    };
    RunnerFacts {
        request: Request::Placed,
        machine: Some(machine),
        ..waiting()
    }
}

/// On a machine that works, with a runner program that works.
fn working() -> RunnerFacts {
    let program = Program {
        name: Some("daytona-runner-1".into()),
        is_running: true,
        is_ready: true,
        failing_since: None,
    };
    RunnerFacts {
        program,
        ..placed()
    }
}

fn with(mut facts: RunnerFacts, change: impl FnOnce(&mut RunnerFacts)) -> RunnerFacts {
    change(&mut facts);
    facts
}

fn machine(change: impl FnOnce(&mut Machine)) -> RunnerFacts {
    with(working(), |facts| change(facts.machine.as_mut().unwrap()))
}

fn program(change: impl FnOnce(&mut Program)) -> RunnerFacts {
    with(working(), |facts| change(&mut facts.program))
}

#[track_caller]
fn check(facts: &RunnerFacts, membership: Membership, at_s: i64, expected: (&str, &str)) {
    let now = Timestamp::from_ms(at_s * 1_000);
    let verdict = runner_status(facts, membership, &StatusRules::default(), now);
    let code = verdict.reason.map(|reason| reason.code.to_string());
    let found = (verdict.status.as_str(), code.as_deref().unwrap_or_default());
    assert_eq!(found, expected, "{facts:?}");
}

#[test]
fn a_request_waits_until_its_deadline_and_is_failed_from_then_on() {
    check(&waiting(), NotAsked, 599, ("pending", ""));
    check(&waiting(), NotAsked, 600, ("failed", "DeadlinePassed"));
    let unmarked = with(waiting(), |facts| facts.mark = None);
    check(&unmarked, NotAsked, 599, ("pending", ""));
    check(&unmarked, NotAsked, 600, ("failed", "DeadlinePassed"));
    let told = with(waiting(), |facts| {
        facts.reasons = vec![Reason::new(ReasonCode::MaxNodesReached, "max size reached")];
    });
    check(&told, NotAsked, 1, ("pending", "MaxNodesReached"));
}

#[test]
fn a_request_that_is_placed_after_its_deadline_is_failed_no_longer() {
    check(&placed(), NotAsked, 601, ("provisioning", "ProgramMissing"));
    check(&working(), NotAsked, 601, ("ready", ""));
}

#[test]
fn a_request_that_the_provider_ended_has_failed() {
    let ended = with(working(), |facts| facts.request = Request::Failed);
    check(&ended, NotAsked, 1, ("failed", "RequestFailed"));
}

#[test]
fn ready_takes_a_machine_and_a_program_that_work() {
    check(
        &machine(|m| m.is_ready = Some(false)),
        NotAsked,
        1,
        ("provisioning", "NodeNotReady"),
    );
    check(
        &machine(|m| m.exists = Some(false)),
        NotAsked,
        1,
        ("failed", "NodeLost"),
    );
    check(
        &program(|p| p.is_ready = false),
        NotAsked,
        1,
        ("provisioning", "ProgramStarting"),
    );
    check(
        &program(|p| p.is_running = false),
        NotAsked,
        1,
        ("provisioning", "ProgramStarting"),
    );
    check(
        &program(|p| p.name = None),
        NotAsked,
        1,
        ("provisioning", "ProgramMissing"),
    );
}

#[test]
fn a_machine_that_may_not_be_looked_at_is_no_hindrance() {
    let blind = machine(|m| {
        m.is_ready = None;
        m.exists = None;
    });
    check(&blind, NotAsked, 1, ("ready", ""));
}

#[test]
fn a_program_has_failed_when_it_failed_for_longer_than_is_granted() {
    let failing = program(|p| p.failing_since = Some(Timestamp::from_ms(10_000)));
    check(&failing, NotAsked, 129, ("provisioning", "CrashLoop"));
    check(&failing, NotAsked, 130, ("failed", "CrashLoop"));
}

#[test]
fn the_loose_rule_takes_a_program_that_runs() {
    let rules = StatusRules {
        running_is_ready: true,
        ..StatusRules::default()
    };
    let unready = program(|p| p.is_ready = false);
    let verdict = runner_status(&unready, NotAsked, &rules, DEADLINE);
    assert_eq!(verdict.status, RunnerStatus::Ready);
}

#[test]
fn a_machine_that_is_to_join_is_ready_once_it_has() {
    check(
        &working(),
        Awaited,
        1_199,
        ("provisioning", "NotRegistered"),
    );
    check(&working(), Awaited, 1_200, ("failed", "NotRegistered"));
    check(&working(), Registered, 1_200, ("ready", ""));
}

#[test]
fn what_is_being_ended_keeps_the_status_of_its_facts() {
    let ending = with(working(), |facts| facts.is_terminating = true);
    check(&ending, NotAsked, 1, ("ready", ""));
}
