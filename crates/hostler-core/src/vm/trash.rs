//! Deleting a VM: into the trash first, out of it by time or by hand.
//!
//! What lies in the trash is off and keeps its disks and its name. Protection
//! is asked before anything else, also by those who skip the trash.

use std::time::Duration;

use super::{VmFacts, VmGoal};
use crate::Timestamp;

/// How long what was deleted can be had back.
pub const TRASH_KEPT: Duration = Duration::from_hours(7 * 24);

/// What becomes of a request to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It goes into the trash.
    Trash,
    /// It is removed, with its disks, as soon as its node has done so.
    Remove,
    /// It is there already; nothing changes.
    Nothing,
    /// It is protected.
    Protected,
}

/// What to do when somebody deletes a VM; `now` skips the trash.
pub fn vm_deletion(facts: &VmFacts, is_protected: bool, now: bool) -> Deletion {
    match (facts.goal, facts.trashed_at) {
        (VmGoal::Gone, _) => Deletion::Nothing,
        _ if is_protected => Deletion::Protected,
        _ if now => Deletion::Remove,
        (_, Some(_)) => Deletion::Nothing,
        (_, None) => Deletion::Trash,
    }
}

/// Whether a VM's time in the trash is over.
pub fn vm_leaves_trash(facts: &VmFacts, kept: Duration, now: Timestamp) -> bool {
    let over = |since: Timestamp| now.since(since) >= kept;
    facts.goal != VmGoal::Gone && facts.trashed_at.is_some_and(over)
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::seated;
    use super::*;

    #[test]
    fn a_deleted_vm_goes_through_the_trash_unless_somebody_insists() {
        let here = seated(VmGoal::Running, None);
        let trashed = VmFacts {
            trashed_at: Some(Timestamp::from_ms(5)),
            ..seated(VmGoal::Stopped, None)
        };
        let gone = seated(VmGoal::Gone, None);
        let check = |facts: VmFacts, protected, now, expected| {
            assert_eq!(vm_deletion(&facts, protected, now), expected);
        };
        check(here, false, false, Deletion::Trash);
        check(here, false, true, Deletion::Remove);
        check(here, true, false, Deletion::Protected);
        check(here, true, true, Deletion::Protected);
        check(trashed, false, false, Deletion::Nothing);
        check(trashed, false, true, Deletion::Remove);
        check(gone, true, true, Deletion::Nothing);
    }

    #[test]
    fn the_trash_empties_by_time() {
        let since = Timestamp::from_ms(1_000);
        let trashed = VmFacts {
            trashed_at: Some(since),
            ..seated(VmGoal::Stopped, None)
        };
        let hour = Duration::from_hours(1);
        let check = |facts: VmFacts, later, expected| {
            let now = since + Duration::from_millis(later);
            assert_eq!(vm_leaves_trash(&facts, hour, now), expected);
        };
        check(trashed, 3_599_999, false);
        check(trashed, 3_600_000, true);
        check(seated(VmGoal::Stopped, None), 9_999_999, false);
        let going = VmFacts {
            goal: VmGoal::Gone,
            ..trashed
        };
        check(going, 9_999_999, false);
    }
}
