//! What is done next about a job, as tables.

use std::time::Duration;

use super::*;
use crate::runner::{
    Machine, Membership, Program, ReasonCode, Request, RunnerFacts, StatusRules, runner_status,
};

const DEADLINE: Timestamp = Timestamp::from_ms(600_000);
const LAG: Duration = Duration::from_secs(5);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(seconds * 1_000)
}

fn pool(name: &str) -> PoolName {
    name.parse().unwrap()
}

fn job(stage: Stage, count: u32) -> Job {
    let id = JobId::from_parts(1, [7; 10]);
    let item = |index| JobItem::new(Job::runner_id(id, index), pool("default"));
    Job {
        id,
        revision: 0,
        kind: JobKind::Add,
        wait_for: WaitFor::Scheduled,
        stage,
        requested_at: at(0),
        deadline: DEADLINE,
        asked_by: None,
        request_digest: None,
        worker: None,
        force: false,
        items: (0..count).map(item).collect(),
        reason: None,
        ended_at: None,
        late: false,
    }
}

/// A job whose requests are all made.
fn standing(count: u32) -> Job {
    let mut job = job(Stage::Standing, count);
    for item in &mut job.items {
        item.asked_at = Some(at(0));
    }
    job
}

fn facts(job: &Job, index: usize) -> RunnerFacts {
    let mark = job.mark(u32::try_from(index).unwrap());
    let item = &job.items[index];
    RunnerFacts::waiting(item.id.clone(), item.pool.clone(), Some(mark), at(0))
}

fn placed(job: &Job, index: usize) -> RunnerFacts {
    let machine = Machine {
        name: format!("node-{index}"),
        ..Machine::default()
    };
    RunnerFacts {
        request: Request::Placed,
        machine: Some(machine),
        ..facts(job, index)
    }
}

fn working(job: &Job, index: usize) -> RunnerFacts {
    let program = Program {
        name: Some("r".into()),
        is_running: true,
        is_ready: true,
        failing_since: None,
    };
    RunnerFacts {
        program,
        ..placed(job, index)
    }
}

/// Looks at one runner of the job.
fn look(
    job: &mut Job,
    index: usize,
    facts: Option<&RunnerFacts>,
    now: Timestamp,
) -> Option<JobNews> {
    look_unwanted(job, index, facts, (false, now))
}

fn look_unwanted(
    job: &mut Job,
    index: usize,
    facts: Option<&RunnerFacts>,
    (is_unwanted, now): (bool, Timestamp),
) -> Option<JobNews> {
    let rules = StatusRules::default();
    let seen = facts.map(|facts| {
        (
            facts,
            runner_status(facts, Membership::NotAsked, &rules, now),
        )
    });
    let observation = Observation {
        seen: seen.as_ref().map(|(facts, verdict)| (*facts, verdict)),
        is_unwanted,
    };
    let (item, news) = job_observe(job, &job.items[index], &observation, LAG, now);
    job.items[index] = item;
    news
}

/// Nothing of any runner is there.
fn nothing(job: &Job) -> Vec<Sight> {
    vec![Sight::default(); job.items.len()]
}

/// A request stands for each runner.
fn all_there(job: &Job) -> Vec<Sight> {
    let sight = |item: &JobItem| Sight {
        standing_in: Some(item.pool.clone()),
        is_there: true,
        other_pool: None,
    };
    job.items.iter().map(sight).collect()
}

#[track_caller]
fn check(job: &Job, sights: &[Sight], now: Timestamp, expected: &JobStep) {
    assert_eq!(&job_step(job, sights, &JobRules::default(), now), expected);
}

fn end_of(job: &Job, now: Timestamp) -> (Option<JobEnd>, Option<ReasonCode>) {
    match job_step(job, &all_there(job), &JobRules::default(), now) {
        JobStep::End(end, reason) => (Some(end), reason.map(|reason| reason.code)),
        _ => (None, None),
    }
}

#[test]
fn the_same_job_asks_for_the_same_runners_again() {
    let id = JobId::from_parts(1, [7; 10]);
    assert_eq!(Job::runner_id(id, 3), Job::runner_id(id, 3));
    assert_ne!(Job::runner_id(id, 3), Job::runner_id(id, 4));
    let other = JobId::from_parts(2, [7; 10]);
    assert_ne!(Job::runner_id(id, 3), Job::runner_id(other, 3));
    let text = Job::runner_id(id, 3).to_string();
    assert!(text.starts_with("node-placeholder-"), "{text}");
    assert_eq!(text.len(), "node-placeholder-".len() + 36);
}

#[test]
fn a_job_reads_back_as_it_was_written() {
    let mut job = standing(2);
    look(&mut job, 0, None, at(9));
    let text = serde_json::to_string(&job).unwrap();
    assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
}

#[test]
fn an_asked_job_asks_for_all_of_its_runners_that_are_not_known_to_be_asked_for() {
    let mut asked = job(Stage::Asked, 3);
    check(
        &asked,
        &nothing(&asked),
        at(0),
        &JobStep::Ask(vec![0, 1, 2]),
    );
    check(
        &asked,
        &all_there(&asked),
        at(9_999),
        &JobStep::Ask(vec![0, 1, 2]),
    );
    asked.items[1].asked_at = Some(at(0));
    check(&asked, &nothing(&asked), at(0), &JobStep::Ask(vec![0, 2]));
    let standing = standing(3);
    let all_asked = Job {
        stage: Stage::Asked,
        ..standing
    };
    check(&all_asked, &nothing(&all_asked), at(0), &JobStep::Stand);
}

#[test]
fn a_roll_back_releases_every_request_once_and_what_turns_up_again() {
    let mut back = job(Stage::RollingBack, 2);
    back.reason = Some(Reason::new(ReasonCode::QuotaExceeded, "pods"));
    check(&back, &nothing(&back), at(0), &JobStep::Release(vec![0, 1]));
    for item in &mut back.items {
        item.gone_at = Some(at(1));
    }
    check(
        &back,
        &all_there(&back),
        at(1),
        &JobStep::Release(vec![0, 1]),
    );
    let end = JobStep::End(JobEnd::Timeout, back.reason.clone());
    check(&back, &nothing(&back), at(1), &end);
    back.stage = Stage::Ended(JobEnd::Timeout);
    check(
        &back,
        &all_there(&back),
        at(9),
        &JobStep::Release(vec![0, 1]),
    );
    check(&back, &nothing(&back), at(9), &JobStep::Wait(None));
}

#[test]
fn news_is_told_once_in_the_order_of_a_life() {
    let mut job = standing(1);
    let (there, ready) = (placed(&job, 0), working(&job, 0));
    assert_eq!(
        look(&mut job, 0, Some(&there), at(1)),
        Some(JobNews::Scheduled("node-0".into()))
    );
    assert_eq!(look(&mut job, 0, Some(&there), at(2)), None);
    assert_eq!(look(&mut job, 0, Some(&ready), at(3)), Some(JobNews::Ready));
    assert_eq!(look(&mut job, 0, Some(&there), at(4)), None);
    assert_eq!(
        look(&mut job, 0, None, at(5)),
        Some(JobNews::Gone(ReasonCode::Deleted))
    );
    assert_eq!(look(&mut job, 0, None, at(6)), None);
    let item = &job.items[0];
    assert_eq!(
        (item.scheduled_at, item.ready_at, item.gone_at),
        (Some(at(1)), Some(at(3)), Some(at(5)))
    );
}

#[test]
fn a_request_may_be_missing_for_as_long_as_its_provider_lags() {
    let mut job = standing(1);
    assert_eq!(look(&mut job, 0, None, at(4)), None);
    assert_eq!(
        look(&mut job, 0, None, at(5)),
        Some(JobNews::Gone(ReasonCode::Deleted))
    );
    let waiting = facts(&job, 0);
    assert_eq!(look(&mut job, 0, Some(&waiting), at(6)), None);
    assert_eq!(job.items[0].gone_at, None);
}

#[test]
fn a_request_that_was_never_made_is_not_gone() {
    let mut asked = job(Stage::Asked, 1);
    assert_eq!(look(&mut asked, 0, None, at(999)), None);
}

#[test]
fn completed_is_judged_by_how_the_runners_are_and_not_by_the_clock() {
    let mut job = standing(2);
    let both = [placed(&job, 0), placed(&job, 1)];
    look(&mut job, 0, Some(&both[0]), at(1));
    check(
        &job,
        &all_there(&job),
        at(599),
        &JobStep::Wait(Some(DEADLINE)),
    );
    assert_eq!(
        end_of(&job, at(600)),
        (Some(JobEnd::Timeout), Some(ReasonCode::DeadlinePassed))
    );
    look(&mut job, 1, Some(&both[1]), at(600));
    assert_eq!(end_of(&job, at(600)), (Some(JobEnd::Completed), None));
}

#[test]
fn waiting_for_ready_takes_more_than_a_machine() {
    let mut job = standing(1);
    job.wait_for = WaitFor::Ready;
    let (there, ready) = (placed(&job, 0), working(&job, 0));
    look(&mut job, 0, Some(&there), at(1));
    assert_eq!(end_of(&job, at(1)), (None, None));
    look(&mut job, 0, Some(&ready), at(2));
    assert_eq!(end_of(&job, at(2)), (Some(JobEnd::Completed), None));
}

#[test]
fn a_deletion_ends_the_wait_well_only_if_it_was_asked_for() {
    for (is_unwanted, expected) in [
        (true, (Some(JobEnd::Completed), None)),
        (false, (Some(JobEnd::Timeout), Some(ReasonCode::Deleted))),
    ] {
        let mut job = standing(2);
        let first = placed(&job, 0);
        look(&mut job, 0, Some(&first), at(1));
        look_unwanted(&mut job, 1, None, (is_unwanted, at(9)));
        assert_eq!(end_of(&job, at(9)), expected);
    }
}

#[test]
fn a_deletion_does_not_end_the_wait_of_the_others() {
    let mut job = standing(2);
    look(&mut job, 0, None, at(9));
    check(
        &job,
        &all_there(&job),
        at(9),
        &JobStep::Wait(Some(DEADLINE)),
    );
}

#[test]
fn a_job_that_timed_out_completes_late() {
    let mut job = standing(1);
    job.stage = Stage::Ended(JobEnd::Timeout);
    assert!(job.is_watched());
    check(&job, &all_there(&job), at(700), &JobStep::Wait(None));
    let there = placed(&job, 0);
    look(&mut job, 0, Some(&there), at(701));
    check(
        &job,
        &all_there(&job),
        at(701),
        &JobStep::End(JobEnd::Completed, None),
    );
}

#[test]
fn what_was_given_up_is_taken_back_if_so_configured() {
    let mut job = standing(2);
    let first = placed(&job, 0);
    look(&mut job, 0, Some(&first), at(1));
    job.stage = Stage::Ended(JobEnd::Timeout);
    let step = |job: &Job, on_timeout| {
        let rules = JobRules {
            on_timeout,
            ..JobRules::default()
        };
        job_step(job, &all_there(job), &rules, at(601))
    };
    assert_eq!(step(&job, OnTimeout::Keep), JobStep::Wait(None));
    assert_eq!(step(&job, OnTimeout::Delete), JobStep::Release(vec![1]));
    let news = look(&mut job, 1, None, at(602));
    assert_eq!(news, Some(JobNews::Gone(ReasonCode::DeadlinePassed)));
    assert_eq!(
        step(&job, OnTimeout::Keep),
        JobStep::Wait(None),
        "not completed by that"
    );
}

#[test]
fn a_runner_moves_to_another_pool_under_its_own_id() {
    let mut job = standing(2);
    let mut sights = all_there(&job);
    sights[1].other_pool = Some(pool("spare"));
    check(
        &job,
        &sights,
        at(1),
        &JobStep::Move(vec![(1, pool("spare"))]),
    );
    job.items[1].is_moving = true;
    job.items[1].pool = pool("spare");
    sights[1].other_pool = None;
    check(&job, &sights, at(2), &JobStep::Release(vec![1]));
    sights[1].standing_in = None;
    check(&job, &sights, at(3), &JobStep::Wait(Some(DEADLINE)));
    assert_eq!(
        look(&mut job, 1, None, at(99)),
        None,
        "on its way is not gone"
    );
    sights[1].is_there = false;
    check(&job, &sights, at(4), &JobStep::Ask(vec![1]));
}

#[test]
fn a_job_says_early_that_a_pool_cannot_grow() {
    let mut job = standing(2);
    assert_eq!(job_warning(&job), None);
    let mut full = facts(&job, 1);
    full.reasons = vec![Reason::new(ReasonCode::MaxNodesReached, "max size reached")];
    look(&mut job, 1, Some(&full), at(2));
    assert_eq!(
        job_warning(&job).map(|reason| reason.code),
        Some(ReasonCode::MaxNodesReached)
    );
    check(
        &job,
        &all_there(&job),
        at(2),
        &JobStep::Wait(Some(DEADLINE)),
    );
}

#[test]
fn a_machine_lost_under_a_runner_is_told_as_that() {
    let mut job = standing(1);
    let mut there = placed(&job, 0);
    look(&mut job, 0, Some(&there), at(1));
    there.machine.as_mut().unwrap().exists = Some(false);
    look(&mut job, 0, Some(&there), at(2));
    assert_eq!(
        look(&mut job, 0, None, at(60)),
        Some(JobNews::Gone(ReasonCode::NodeLost))
    );
}

#[test]
fn a_runner_that_was_lost_is_asked_for_again_if_so_configured() {
    let mut job = standing(2);
    let there = [placed(&job, 0), placed(&job, 1)];
    look(&mut job, 0, Some(&there[0]), at(1));
    look(&mut job, 1, Some(&there[1]), at(1));
    job.stage = Stage::Ended(JobEnd::Completed);
    look(&mut job, 0, None, at(60));
    look_unwanted(&mut job, 1, None, (true, at(60)));
    let step = |job: &Job, on_lost| {
        let rules = JobRules {
            on_lost,
            ..JobRules::default()
        };
        job_step(job, &nothing(job), &rules, at(61))
    };
    assert_eq!(step(&job, OnLost::Report), JobStep::Wait(None));
    assert_eq!(step(&job, OnLost::Replace), JobStep::Ask(vec![0]));
    job.items[0] = job.items[0].asked(at(61));
    assert_eq!(step(&job, OnLost::Replace), JobStep::Wait(None));
    assert_eq!(look(&mut job, 0, None, at(62)), None, "asked for just now");
}

#[test]
fn a_job_is_watched_until_the_last_of_its_runners_is_gone() {
    let mut job = standing(1);
    let there = placed(&job, 0);
    look(&mut job, 0, Some(&there), at(1));
    job.stage = Stage::Ended(JobEnd::Completed);
    job.ended_at = Some(at(1));
    assert!(job.is_watched());
    assert_eq!(job.settled_at(), None);
    look(&mut job, 0, None, at(60));
    assert!(!job.is_watched());
    assert_eq!(job.settled_at(), Some(at(60)));
}
