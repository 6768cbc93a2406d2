//! Starting, ending, pausing.

use std::time::Duration;

use super::facts::{Act, Life, Note, Power, Shown, Stopping, VmNow};
use crate::vm::VmGoal;

/// A guest that is still starting misses the first asking.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What ends it, if it should end: by the order, or because an end has begun.
pub(super) fn end_wanted(now: &VmNow<'_>, shown: &Shown) -> Option<Act> {
    let ends = now.done.life == Life::Ending;
    let stops = now.wanted.goal == VmGoal::Stopped;
    if !shown.is_on() {
        return match now.done.life {
            Life::Off => None,
            Life::Ending => Some(Act::Note(Note::Life(Life::Off))),
            _ => stops.then_some(Act::Note(Note::Life(Life::Off))),
        };
    }
    if ends {
        return Some(ending(now, shown));
    }
    stops.then_some(Act::Note(Note::Life(Life::Ending)))
}

fn ending(now: &VmNow<'_>, shown: &Shown) -> Act {
    let stopping = now.stopping.unwrap_or(Stopping {
        since: now.now,
        asked: None,
    });
    let end = stopping.since.saturating_add(now.wanted.stop_deadline);
    if now.now >= end {
        return Act::Off;
    }
    // Who stands still hears nothing.
    if shown.power == Some(Power::Paused) {
        return Act::Resume;
    }
    match stopping.asked.map(|asked| asked + ASK_AGAIN) {
        Some(again) if now.now < again => Act::Wait(again.min(end)),
        _ => Act::ShutDown,
    }
}

/// What is next for one that should be on.
pub(super) fn life(now: &VmNow<'_>, shown: &Shown) -> Option<Act> {
    let on = shown.is_on();
    if now.done.reboots < now.wanted.reboots {
        let number = now.wanted.reboots;
        let reboots = on && now.wanted.goal != VmGoal::Stopped;
        return Some(Act::Note(if reboots {
            Note::Reboot(number)
        } else {
            Note::RebootSkipped(number)
        }));
    }
    if now.wanted.goal == VmGoal::Stopped {
        return None;
    }
    match now.done.life {
        // However it came to be on, it is.
        Life::Off | Life::Starting | Life::Left if on => Some(Act::Note(Note::Life(Life::On))),
        Life::Off => Some(Act::Note(Note::Life(Life::Starting))),
        Life::Starting => Some(Act::Start),
        Life::On if !on && now.other_boot && now.wanted.autostart => {
            Some(Act::Note(Note::Life(Life::Starting)))
        }
        Life::On if !on => Some(Act::Note(Note::Life(Life::Left))),
        Life::On => stillness(now, shown),
        // Ending is seen to before.
        Life::Left | Life::Ending => None,
    }
}

fn stillness(now: &VmNow<'_>, shown: &Shown) -> Option<Act> {
    match (now.wanted.goal, shown.power) {
        (VmGoal::Paused, Some(Power::Running)) => Some(Act::Pause),
        (VmGoal::Running, Some(Power::Paused)) => Some(Act::Resume),
        _ => None,
    }
}
