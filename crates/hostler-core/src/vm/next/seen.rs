//! What a node says of a VM, from the same facts.

use super::facts::{Life, Power, Shown, VmNow};
use crate::vm::{VmGoal, VmSeenState, VmSize, WantsRestart};

/// The state it is in. While the hypervisor does not answer, what the ledger
/// says: never *absent*.
pub fn seen_state(now: &VmNow<'_>) -> VmSeenState {
    let gone = now.wanted.goal == VmGoal::Gone;
    let Some(shown) = now.shown else {
        return if gone {
            VmSeenState::Stopping
        } else {
            remembered(now)
        };
    };
    if gone {
        let left = shown.power.is_some() || shown.files;
        return if left {
            VmSeenState::Stopping
        } else {
            VmSeenState::Absent
        };
    }
    if now.failed {
        return VmSeenState::Failed;
    }
    match (now.fenced, shown.is_on()) {
        (true, true) => VmSeenState::Stopping,
        (true, false) => VmSeenState::Fenced,
        (false, true) => on(now, shown),
        (false, false) => off(now, shown),
    }
}

fn on(now: &VmNow<'_>, shown: &Shown) -> VmSeenState {
    match (now.done.life, shown.power) {
        (Life::Ending, _) => VmSeenState::Stopping,
        (_, Some(Power::Paused)) => VmSeenState::Paused,
        _ => VmSeenState::Running,
    }
}

fn off(now: &VmNow<'_>, shown: &Shown) -> VmSeenState {
    let unmade = |disk: &super::DiskFact| !shown.disks.contains_key(&disk.name);
    let stays_off = now.wanted.goal == VmGoal::Stopped || now.done.life == Life::Left;
    if now.wanted.disks.iter().any(unmade) {
        VmSeenState::Preparing
    } else if stays_off {
        VmSeenState::Stopped
    } else {
        VmSeenState::Starting
    }
}

fn remembered(now: &VmNow<'_>) -> VmSeenState {
    if now.failed {
        return VmSeenState::Failed;
    }
    match now.done.life {
        Life::On if now.fenced => VmSeenState::Stopping,
        _ if now.fenced => VmSeenState::Fenced,
        Life::On => VmSeenState::Running,
        Life::Ending => VmSeenState::Stopping,
        Life::Starting => VmSeenState::Starting,
        Life::Off | Life::Left if now.done.defined.is_some() => VmSeenState::Stopped,
        Life::Off | Life::Left => VmSeenState::Preparing,
    }
}

/// What a machine that was started with one size and these devices takes over
/// of another only at its next start.
pub fn wants_restart(started: (VmSize, u64), wanted: (VmSize, u64)) -> Vec<WantsRestart> {
    let differs = [
        (started.0.cpus != wanted.0.cpus, WantsRestart::Cpus),
        (started.0.memory != wanted.0.memory, WantsRestart::Memory),
        (started.1 != wanted.1, WantsRestart::Devices),
    ];
    let differs = differs.into_iter().filter(|(differs, _)| *differs);
    differs.map(|(_, what)| what).collect()
}
