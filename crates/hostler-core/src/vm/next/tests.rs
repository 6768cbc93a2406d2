//! Tables of the next act, and a walk that always arrives.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::id::SnapshotId;
use crate::vm::VmSeenState;

fn snapshot(number: u8) -> SnapshotId {
    SnapshotId::from_parts(1, [number; 10])
}

/// A case: a VM with one disk from an image, running as ordered.
#[derive(Clone)]
struct Case {
    wanted: VmWanted,
    done: VmDone,
    shown: Option<Shown>,
    fenced: bool,
    failed: bool,
    other_boot: bool,
    stopping: Option<Stopping>,
    now: Duration,
}

fn running() -> Case {
    let disk = DiskFact {
        name: "root".into(),
        bytes: 10,
        needs_image: true,
    };
    Case {
        wanted: VmWanted {
            goal: VmGoal::Running,
            disks: vec![disk],
            definition: 7,
            stop_deadline: Duration::from_secs(30),
            autostart: false,
            reboots: 0,
            snapshots: vec![],
            rollback: None,
        },
        done: VmDone {
            disks: ["root".to_owned()].into(),
            defined: Some(7),
            life: Life::On,
            ..VmDone::default()
        },
        shown: Some(Shown {
            power: Some(Power::Running),
            image: true,
            disks: [("root".to_owned(), 10)].into(),
            files: true,
            snapshots: [].into(),
        }),
        fenced: false,
        failed: false,
        other_boot: false,
        stopping: None,
        now: Duration::from_secs(100),
    }
}

fn unmade() -> Case {
    let mut case = running();
    case.done = VmDone::default();
    case.shown = Some(Shown::default());
    case
}

impl Case {
    fn view(&self) -> VmNow<'_> {
        VmNow {
            wanted: &self.wanted,
            done: &self.done,
            shown: self.shown.as_ref(),
            fenced: self.fenced,
            failed: self.failed,
            other_boot: self.other_boot,
            stopping: self.stopping,
            now: self.now,
        }
    }

    fn shown(&mut self) -> &mut Shown {
        self.shown.get_or_insert_default()
    }

    fn off(mut self) -> Self {
        self.shown().power = Some(Power::Off);
        self
    }
}

#[track_caller]
fn check(case: &Case, act: &Act, state: VmSeenState) {
    assert_eq!(next_act(&case.view()), *act);
    assert_eq!(seen_state(&case.view()), state);
}

#[track_caller]
fn check_with(case: &Case, change: impl FnOnce(&mut Case), act: &Act, state: VmSeenState) {
    let mut case = case.clone();
    change(&mut case);
    check(&case, act, state);
}

#[test]
fn nothing_is_done_by_what_was_not_seen() {
    let blind = |case: &mut Case| case.shown = None;
    check_with(&running(), blind, &Act::Look, VmSeenState::Running);
    check_with(&unmade(), blind, &Act::Look, VmSeenState::Preparing);
    let gone = |case: &mut Case| {
        case.wanted.goal = VmGoal::Gone;
        case.shown = None;
    };
    check_with(&running(), gone, &Act::Look, VmSeenState::Stopping);
}

#[test]
fn a_new_vm_is_fetched_made_defined_and_started() {
    let life = |life| Act::Note(Note::Life(life));
    let mut case = unmade();
    check(&case, &Act::FetchImage, VmSeenState::Preparing);
    case.shown().image = true;
    check(&case, &Act::MakeDisk("root".into()), VmSeenState::Preparing);
    case.shown().disks = [("root".to_owned(), 8)].into();
    let made = Act::Note(Note::DiskMade("root".into()));
    check(&case, &made, VmSeenState::Starting);
    case.done.disks = ["root".to_owned()].into();
    check(&case, &Act::GrowDisk("root".into()), VmSeenState::Starting);
    case.shown().disks = [("root".to_owned(), 10)].into();
    check(&case, &Act::Define(7), VmSeenState::Starting);
    case.done.defined = Some(7);
    case.shown().power = Some(Power::Off);
    check(&case, &life(Life::Starting), VmSeenState::Starting);
    case.done.life = Life::Starting;
    check(&case, &Act::Start, VmSeenState::Starting);
    case.shown().power = Some(Power::Running);
    check(&case, &life(Life::On), VmSeenState::Running);
    check(&running(), &Act::Rest, VmSeenState::Running);
}

#[test]
fn a_disk_that_was_lost_is_never_made_anew() {
    let lost = |case: &mut Case| case.shown().disks.clear();
    let act = Act::GiveUp("its disk 'root' is gone".into());
    check_with(&running().off(), lost, &act, VmSeenState::Preparing);
}

#[test]
fn a_guest_that_went_off_by_itself_stays_off_until_told() {
    let case = running().off();
    check(
        &case,
        &Act::Note(Note::Life(Life::Left)),
        VmSeenState::Starting,
    );
    let left = |case: &mut Case| case.done.life = Life::Left;
    check_with(&case, left, &Act::Rest, VmSeenState::Stopped);
    let reboot = |case: &mut Case| {
        case.done.life = Life::Left;
        case.wanted.reboots = 1;
    };
    let skipped = Act::Note(Note::RebootSkipped(1));
    check_with(&case, reboot, &skipped, VmSeenState::Stopped);
}

#[test]
fn after_a_start_of_the_machine_only_autostart_starts() {
    let mut case = running().off();
    case.other_boot = true;
    let left = Act::Note(Note::Life(Life::Left));
    check(&case, &left, VmSeenState::Starting);
    case.wanted.autostart = true;
    let starting = Act::Note(Note::Life(Life::Starting));
    check(&case, &starting, VmSeenState::Starting);
}

#[test]
fn a_guest_is_asked_again_and_switched_off_at_its_deadline() {
    let mut case = running();
    case.wanted.goal = VmGoal::Stopped;
    let ending = Act::Note(Note::Life(Life::Ending));
    check(&case, &ending, VmSeenState::Running);
    case.done.life = Life::Ending;
    check(&case, &Act::ShutDown, VmSeenState::Stopping);
    let asked = |since, asked| {
        Some(Stopping {
            since: Duration::from_secs(since),
            asked: Some(Duration::from_secs(asked)),
        })
    };
    case.stopping = asked(98, 98);
    let again = Act::Wait(Duration::from_secs(103));
    check(&case, &again, VmSeenState::Stopping);
    case.stopping = asked(90, 95);
    check(&case, &Act::ShutDown, VmSeenState::Stopping);
    case.stopping = asked(70, 99);
    check(&case, &Act::Off, VmSeenState::Stopping);
    case.stopping = asked(99, 99);
    case.shown().power = Some(Power::Paused);
    check(&case, &Act::Resume, VmSeenState::Stopping);
    case.wanted.stop_deadline = Duration::ZERO;
    check(&case, &Act::Off, VmSeenState::Stopping);
    case = case.off();
    check(
        &case,
        &Act::Note(Note::Life(Life::Off)),
        VmSeenState::Stopped,
    );
}

#[test]
fn a_shutdown_called_off_half_way_ends_and_starts_again() {
    let mut case = running();
    case.done.life = Life::Ending;
    check(&case, &Act::ShutDown, VmSeenState::Stopping);
    case = case.off();
    let off = Act::Note(Note::Life(Life::Off));
    check(&case, &off, VmSeenState::Starting);
    case.done.life = Life::Off;
    let starting = Act::Note(Note::Life(Life::Starting));
    check(&case, &starting, VmSeenState::Starting);
}

#[test]
fn a_reboot_is_written_down_before_it_begins_and_then_is_an_end_and_a_start() {
    let mut case = running();
    case.wanted.reboots = 3;
    check(&case, &Act::Note(Note::Reboot(3)), VmSeenState::Running);
    case.done.reboots = 3;
    case.done.life = Life::Ending;
    check(&case, &Act::ShutDown, VmSeenState::Stopping);
}

#[test]
fn pausing_and_going_on_follow_the_goal() {
    let mut case = running();
    case.wanted.goal = VmGoal::Paused;
    check(&case, &Act::Pause, VmSeenState::Running);
    case.shown().power = Some(Power::Paused);
    check(&case, &Act::Rest, VmSeenState::Paused);
    case.wanted.goal = VmGoal::Running;
    check(&case, &Act::Resume, VmSeenState::Paused);
}

#[test]
fn snapshots_come_and_go_as_wanted_and_failures_are_not_tried_again() {
    let mut case = running();
    case.wanted.snapshots = vec![snapshot(1)];
    let take = Act::TakeSnapshot(snapshot(1));
    check(&case, &take, VmSeenState::Running);
    let failed = |case: &mut Case| case.done.snapshots_failed = [snapshot(1)].into();
    check_with(&case, failed, &Act::Rest, VmSeenState::Running);
    case.shown().snapshots = [snapshot(1), snapshot(2)].into();
    let remove = Act::RemoveSnapshot(snapshot(2));
    check(&case, &remove, VmSeenState::Running);
    case.shown().snapshots = [snapshot(1)].into();
    let taken = Act::Note(Note::SnapshotTaken(snapshot(1)));
    check(&case, &taken, VmSeenState::Running);
    case.done.snapshots_taken = [snapshot(1)].into();
    check(&case, &Act::Rest, VmSeenState::Running);
}

#[test]
fn a_rollback_is_written_down_and_repeated_until_it_has_ended() {
    let mut case = running();
    case.wanted.snapshots = vec![snapshot(1)];
    case.done.snapshots_taken = [snapshot(1)].into();
    case.wanted.rollback = Some((2, snapshot(1)));
    let refused = Act::Note(Note::RollbackRefused(2));
    check(&case, &refused, VmSeenState::Running);
    case.shown().snapshots = [snapshot(1)].into();
    let begun = Act::Note(Note::RollbackBegun(2));
    check(&case, &begun, VmSeenState::Running);
    case.done.rollback_begun = 2;
    let act = Act::RollBack(2, snapshot(1));
    check(&case, &act, VmSeenState::Running);
    case.done.rollback_ended = 2;
    check(&case, &Act::Rest, VmSeenState::Running);
}

#[test]
fn the_end_of_the_lease_switches_off_and_keeps_the_disks() {
    let fenced = |case: &mut Case| case.fenced = true;
    check_with(&running(), fenced, &Act::Off, VmSeenState::Stopping);
    check_with(&running().off(), fenced, &Act::Rest, VmSeenState::Fenced);
    check_with(&unmade(), fenced, &Act::Rest, VmSeenState::Fenced);
}

#[test]
fn what_was_given_up_still_stops_when_told() {
    let failed = |case: &mut Case| case.failed = true;
    check_with(&unmade(), failed, &Act::Rest, VmSeenState::Failed);
    let stopped = |case: &mut Case| {
        case.failed = true;
        case.wanted.goal = VmGoal::Stopped;
        case.done.life = Life::Ending;
    };
    check_with(&running(), stopped, &Act::ShutDown, VmSeenState::Failed);
}

#[test]
fn gone_is_off_at_once_and_removed_until_nothing_is_left() {
    let mut case = running();
    case.wanted.goal = VmGoal::Gone;
    check(&case, &Act::Off, VmSeenState::Stopping);
    case = case.off();
    check(&case, &Act::Remove, VmSeenState::Stopping);
    case.shown().power = None;
    check(&case, &Act::Remove, VmSeenState::Stopping);
    case.shown = Some(Shown::default());
    check(&case, &Act::Rest, VmSeenState::Absent);
}

/// Does an act as a good hypervisor and a good ledger would.
fn done(case: &mut Case, act: Act) {
    match act {
        Act::Note(note) => noted(&mut case.done, note),
        Act::FetchImage => case.shown().image = true,
        Act::MakeDisk(name) | Act::GrowDisk(name) => {
            case.shown().files = true;
            case.shown().disks.insert(name, 10);
        }
        Act::Define(number) => {
            case.done.defined = Some(number);
            case.shown().power.get_or_insert(Power::Off);
        }
        Act::Start | Act::Resume => case.shown().power = Some(Power::Running),
        Act::Pause => case.shown().power = Some(Power::Paused),
        Act::ShutDown | Act::Off => case.shown().power = Some(Power::Off),
        Act::TakeSnapshot(id) => drop(case.shown().snapshots.insert(id)),
        Act::RemoveSnapshot(id) => drop(case.shown().snapshots.remove(&id)),
        Act::RollBack(number, _) => {
            case.done.rollback_ended = number;
            case.done.life = Life::Off;
            case.shown().power = Some(Power::Off);
        }
        Act::Remove => case.shown = Some(Shown::default()),
        Act::GiveUp(_) => case.failed = true,
        Act::Wait(until) => case.now = until,
        Act::Rest | Act::Look => {}
    }
}

fn noted(done: &mut VmDone, note: Note) {
    match note {
        Note::Life(life) => done.life = life,
        Note::Reboot(number) => (done.reboots, done.life) = (number, Life::Ending),
        Note::RebootSkipped(number) => (done.reboots, done.life) = (number, Life::Off),
        Note::DiskMade(name) => drop(done.disks.insert(name)),
        Note::SnapshotTaken(id) => drop(done.snapshots_taken.insert(id)),
        Note::RollbackBegun(number) => done.rollback_begun = number,
        Note::RollbackRefused(number) => done.rollback_ended = number,
    }
}

fn any_life() -> impl Strategy<Value = Life> {
    prop::sample::select(vec![
        Life::Off,
        Life::Starting,
        Life::On,
        Life::Ending,
        Life::Left,
    ])
}

fn any_power() -> impl Strategy<Value = Option<Power>> {
    let all = vec![
        None,
        Some(Power::Off),
        Some(Power::Running),
        Some(Power::Paused),
    ];
    prop::sample::select(all)
}

proptest! {
    #[test]
    fn from_anywhere_acts_come_to_rest_where_the_goal_is(
        goal in prop::sample::select(vec![VmGoal::Running, VmGoal::Paused, VmGoal::Stopped, VmGoal::Gone]),
        life in any_life(),
        power in any_power(),
        made in any::<bool>(),
        flags in (any::<bool>(), any::<bool>(), any::<bool>()),
        reboots in 0_u64..2,
        wants_snapshot in any::<bool>(),
    ) {
        let mut case = if made || power.is_some() { running() } else { unmade() };
        case.wanted.goal = goal;
        case.wanted.reboots = reboots;
        case.wanted.rollback = flags.2.then_some((1, snapshot(1)));
        if wants_snapshot { case.wanted.snapshots = vec![snapshot(1)]; }
        case.done.life = life;
        case.shown().power = power;
        (case.fenced, case.other_boot) = (flags.0, flags.1);
        for _ in 0..40 {
            let act = next_act(&case.view());
            prop_assert!(!case.fenced || !matches!(act, Act::Start | Act::Resume));
            if act == Act::Rest { break; }
            done(&mut case, act);
        }
        prop_assert_eq!(next_act(&case.view()), Act::Rest);
        let state = seen_state(&case.view());
        let off = matches!(state, VmSeenState::Stopped | VmSeenState::Fenced);
        let expected = match goal {
            VmGoal::Gone => state == VmSeenState::Absent,
            _ if case.fenced => state == VmSeenState::Fenced,
            VmGoal::Running => state == VmSeenState::Running || (off && case.done.life == Life::Left),
            VmGoal::Paused => state == VmSeenState::Paused || (off && case.done.life == Life::Left),
            VmGoal::Stopped => state == VmSeenState::Stopped,
        };
        prop_assert!(expected, "{:?} {:?}", goal, state);
    }
}
