//! What each state of an instance is shown as.

use hostler_core::Timestamp;
use hostler_core::runner::{Membership, ReasonCode, RunnerStatus, StatusRules, runner_status};

use super::fixtures::instance;
use super::*;

fn eye() -> Eye {
    Eye {
        checks: true,
        usual: "default".parse().unwrap(),
    }
}

fn listed(instances: Vec<Instance>) -> Listed {
    let healths = instances.iter().map(|one| (one.id.clone(), Health::Well));
    Listed {
        healths: healths.collect(),
        instances: instances
            .into_iter()
            .map(|one| (one.id.clone(), one))
            .collect(),
        ..Listed::default()
    }
}

fn verdict(listed: &Listed) -> Option<(RunnerStatus, Option<ReasonCode>)> {
    let snapshot = see(listed, &eye(), None);
    let facts = snapshot.runners.values().next()?;
    let now = Timestamp::from_ms(5_000);
    let found = runner_status(facts, Membership::NotAsked, &StatusRules::default(), now);
    Some((found.status, found.reason.map(|reason| reason.code)))
}

#[track_caller]
fn check(state: State, why: &str, expected: Option<(RunnerStatus, Option<ReasonCode>)>) {
    let mut one = instance("i-1", "a", 0);
    (one.state, one.why) = (state, why.to_owned());
    assert_eq!(verdict(&listed(vec![one])), expected, "{state:?} {why}");
}

#[test]
fn each_state_of_an_instance_is_a_status_of_its_runner() {
    use RunnerStatus::{Failed, Pending, Provisioning, Ready};
    let because = |status, code| Some((status, Some(code)));
    check(
        State::Pending,
        "pending",
        because(Pending, ReasonCode::ScaleUpTriggered),
    );
    check(State::Running, "", Some((Ready, None)));
    check(
        State::Stopped,
        "Client.UserInitiatedShutdown",
        because(Provisioning, ReasonCode::NodeNotReady),
    );
    check(
        State::Ending,
        "Client.UserInitiatedShutdown",
        Some((Provisioning, Some(ReasonCode::NodeNotReady))),
    );
    check(State::Ended, "Client.UserInitiatedShutdown", None);
    check(
        State::Ended,
        "Server.SpotInstanceTermination",
        because(Failed, ReasonCode::NodeLost),
    );
    check(
        State::Ending,
        "Server.SpotInstanceTermination",
        because(Failed, ReasonCode::NodeLost),
    );
    check(
        State::Ended,
        "Client.InstanceInitiatedShutdown",
        because(Failed, ReasonCode::NodeLost),
    );
    check(
        State::Ended,
        "Server.InsufficientInstanceCapacity",
        because(Failed, ReasonCode::RequestFailed),
    );
}

#[test]
fn an_instance_that_never_came_up_for_want_of_capacity_says_so_to_the_pool() {
    let mut one = instance("i-1", "a", 0);
    (one.state, one.why) = (
        State::Ended,
        "Server.InsufficientInstanceCapacity".to_owned(),
    );
    let snapshot = see(&listed(vec![one]), &eye(), None);
    let facts = snapshot.runners.values().next().unwrap();
    assert!(facts.reasons[0].code.says_no_capacity());
}

#[test]
fn a_runner_is_ready_when_its_status_checks_passed() {
    let mut all = listed(vec![instance("i-1", "a", 0)]);
    all.healths.clear();
    let starting = Some((
        RunnerStatus::Provisioning,
        Some(ReasonCode::ProgramStarting),
    ));
    assert_eq!(verdict(&all), starting);
    all.healths.insert("i-1".to_owned(), Health::Initializing);
    assert_eq!(verdict(&all), starting);
    all.healths.insert("i-1".to_owned(), Health::Impaired);
    assert_eq!(
        verdict(&all),
        Some((RunnerStatus::Provisioning, Some(ReasonCode::NodeNotReady)))
    );
}

#[test]
fn a_notice_is_said_while_the_runner_still_works() {
    let mut all = listed(vec![instance("i-1", "a", 0)]);
    all.notices.insert("i-1".to_owned());
    let snapshot = see(&all, &eye(), None);
    let facts = snapshot.runners.values().next().unwrap();
    assert_eq!(facts.reasons[0].code, ReasonCode::InterruptionNotice);
    assert_eq!(verdict(&all), Some((RunnerStatus::Ready, None)));
}

#[test]
fn of_several_instances_of_a_runner_the_eldest_living_one_of_the_latest_generation_counts() {
    let mut dead = instance("i-1", "a", 0);
    (dead.state, dead.why) = (State::Ended, "Server.InternalError".to_owned());
    let mut young = instance("i-2", "a", 1);
    young.launched = Timestamp::from_ms(9_000);
    let all = listed(vec![dead, young, instance("i-3", "a", 1)]);
    let id = "a".parse().unwrap();
    let order: Vec<&str> = all
        .of_runner(&id)
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(order, ["i-3", "i-2", "i-1"]);
    assert_eq!(all.generation(&id), 2);
    assert_eq!(verdict(&all), Some((RunnerStatus::Ready, None)));
}

#[test]
fn what_was_given_back_is_shown_no_longer_however_it_ended() {
    let mut one = instance("i-1", "a", 0);
    (one.state, one.why) = (State::Ended, "Server.SpotInstanceTermination".to_owned());
    one.tags.insert(tag::RELEASED.to_owned(), "1".to_owned());
    assert_eq!(verdict(&listed(vec![one])), None);
}

#[test]
fn an_instance_without_a_runner_is_a_host_and_nothing_else() {
    let mut one = instance("i-1", "a", 0);
    one.tags.remove(tag::RUNNER);
    let snapshot = see(&listed(vec![one]), &eye(), None);
    assert!(snapshot.runners.is_empty());
    assert_eq!(snapshot.hosts.len(), 1);
    assert!(snapshot.hosts[0].runners.is_empty());
}
