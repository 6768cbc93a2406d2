//! The one next act for a VM on its node: from what is ordered, what the
//! ledger says was done, what its hypervisor shows, and the time.
//!
//! ```text
//!          written before a start        seen on
//!   Off ───────────────────▶ Starting ───────────▶ On ──▶ Left  (the guest went off by itself)
//!    ▲                                             │ written before a shutdown
//!    └──────────────── seen off ─────── Ending ◀───┘
//! ```
//!
//! Every act can be repeated: whoever does it twice, or dies in the middle and
//! begins again, comes to the same end. What may happen once only (a reboot)
//! is written down before it begins; so is everything that would otherwise be
//! mistaken for the guest's own doing (a start, a shutdown).
//!
//! What must never happen: a disk made anew where one was lost; a VM started
//! that its lease does not cover; anything done by what was not seen.

mod facts;
mod power;
mod seen;
#[cfg(test)]
mod tests;

pub use facts::{Act, DiskFact, Life, Note, Power, Shown, Stopping, VmDone, VmNow, VmWanted};
pub use seen::{seen_state, wants_restart};

use super::VmGoal;

/// The next act. Without a look at the hypervisor there is none but to look.
pub fn next_act(now: &VmNow<'_>) -> Act {
    let Some(shown) = now.shown else {
        return Act::Look;
    };
    if now.wanted.goal == VmGoal::Gone {
        return burial(shown);
    }
    if now.fenced {
        return if shown.is_on() { Act::Off } else { Act::Rest };
    }
    if let Some(act) = power::end_wanted(now, shown) {
        return act;
    }
    if now.failed {
        return Act::Rest;
    }
    rollback(now, shown)
        .or_else(|| disks(now, shown))
        .or_else(|| definition(now, shown))
        .or_else(|| power::life(now, shown))
        .or_else(|| snapshots(now, shown))
        .unwrap_or(Act::Rest)
}

/// Off at once, then everything removed; asked again until nothing is left.
fn burial(shown: &Shown) -> Act {
    if shown.is_on() {
        Act::Off
    } else if shown.power.is_some() || shown.files {
        Act::Remove
    } else {
        Act::Rest
    }
}

fn rollback(now: &VmNow<'_>, shown: &Shown) -> Option<Act> {
    let (number, to) = now.wanted.rollback?;
    if number <= now.done.rollback_ended {
        return None;
    }
    Some(if !shown.snapshots.contains(&to) {
        Act::Note(Note::RollbackRefused(number))
    } else if now.done.rollback_begun < number {
        Act::Note(Note::RollbackBegun(number))
    } else {
        Act::RollBack(number, to)
    })
}

fn disks(now: &VmNow<'_>, shown: &Shown) -> Option<Act> {
    let disks = now.wanted.disks.iter();
    disks.into_iter().find_map(|disk| {
        let made = now.done.disks.contains(&disk.name);
        match shown.disks.get(&disk.name) {
            None if made => Some(Act::GiveUp(format!("its disk '{}' is gone", disk.name))),
            None if disk.needs_image && !shown.image => Some(Act::FetchImage),
            None => Some(Act::MakeDisk(disk.name.clone())),
            Some(_) if !made => Some(Act::Note(Note::DiskMade(disk.name.clone()))),
            Some(bytes) if *bytes < disk.bytes => Some(Act::GrowDisk(disk.name.clone())),
            Some(_) => None,
        }
    })
}

fn definition(now: &VmNow<'_>, shown: &Shown) -> Option<Act> {
    let same = now.done.defined == Some(now.wanted.definition);
    (!same || shown.power.is_none()).then_some(Act::Define(now.wanted.definition))
}

fn snapshots(now: &VmNow<'_>, shown: &Shown) -> Option<Act> {
    let wanted = &now.wanted.snapshots;
    let stray = shown.snapshots.iter().find(|id| !wanted.contains(id));
    let missing = wanted
        .iter()
        .find(|id| !shown.snapshots.contains(id) && !now.done.snapshots_failed.contains(id));
    let unnoted = wanted
        .iter()
        .find(|id| shown.snapshots.contains(id) && !now.done.snapshots_taken.contains(id));
    stray
        .map(|id| Act::RemoveSnapshot(*id))
        .or_else(|| unnoted.map(|id| Act::Note(Note::SnapshotTaken(*id))))
        .or_else(|| missing.map(|id| Act::TakeSnapshot(*id)))
}
