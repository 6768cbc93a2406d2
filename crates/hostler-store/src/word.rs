//! Choices as words in text columns, the same words as on the wire.

use hostler_core::artifact::ArtifactKind;
use hostler_core::node::{Availability, Scheduling};
use hostler_core::vm::{DiskOnLoss, SnapshotState, VmGoal, VmSeenState};
use hostler_core::workload::{Goal, Kind, OnNodeLoss, SeenState};

use crate::error::corrupt;
use crate::{OperationOutcome, StoreError};

/// A choice that is kept as a word.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// What it chooses, for errors.
    const WHAT: &'static str;
    /// Every choice and its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word of this choice.
    fn word(self) -> &'static str {
        let of_self = |(choice, _): &&(Self, _)| *choice == self;
        Self::WORDS
            .iter()
            .find(of_self)
            .map_or("", |(_, word)| word)
    }

    /// The choice that a column's word means.
    fn read(text: &str) -> Result<Self, StoreError> {
        let meant = Self::WORDS.iter().find(|(_, word)| *word == text);
        meant
            .map(|(choice, _)| *choice)
            .ok_or_else(|| corrupt(Self::WHAT, &text))
    }
}

impl Word for Goal {
    const WHAT: &'static str = "goal";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Running, "running"),
        (Self::Stopped, "stopped"),
        (Self::Gone, "gone"),
    ];
}

impl Word for Kind {
    const WHAT: &'static str = "kind of artifact";
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Elf, "elf"), (Self::Wasm, "wasm"), (Self::V8, "v8")];
}

impl Word for ArtifactKind {
    const WHAT: &'static str = "kind of artifact";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Elf, "elf"),
        (Self::Wasm, "wasm"),
        (Self::V8, "v8"),
        (Self::Qcow2, "qcow2"),
        (Self::Raw, "raw"),
    ];
}

impl Word for VmGoal {
    const WHAT: &'static str = "goal of a VM";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Running, "running"),
        (Self::Paused, "paused"),
        (Self::Stopped, "stopped"),
        (Self::Gone, "gone"),
    ];
}

impl Word for VmSeenState {
    const WHAT: &'static str = "seen state of a VM";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Absent, "absent"),
        (Self::Preparing, "preparing"),
        (Self::Starting, "starting"),
        (Self::Running, "running"),
        (Self::Paused, "paused"),
        (Self::Stopping, "stopping"),
        (Self::Stopped, "stopped"),
        (Self::Failed, "failed"),
        (Self::Fenced, "fenced"),
    ];
}

impl Word for SnapshotState {
    const WHAT: &'static str = "state of a snapshot";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Taking, "taking"),
        (Self::Ready, "ready"),
        (Self::Failed, "failed"),
    ];
}

impl Word for DiskOnLoss {
    const WHAT: &'static str = "choice on disk loss";
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Keep, "keep"), (Self::Fresh, "fresh")];
}

impl Word for OnNodeLoss {
    const WHAT: &'static str = "choice on node loss";
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Restart, "restart"), (Self::Wait, "wait")];
}

impl Word for SeenState {
    const WHAT: &'static str = "seen state";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Absent, "absent"),
        (Self::Starting, "starting"),
        (Self::Running, "running"),
        (Self::Stopping, "stopping"),
        (Self::Ended, "ended"),
        (Self::Failed, "failed"),
        (Self::Fenced, "fenced"),
    ];
}

impl Word for Scheduling {
    const WHAT: &'static str = "scheduling";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Open, "open"),
        (Self::Draining, "draining"),
        (Self::Closed, "closed"),
    ];
}

impl Word for Availability {
    const WHAT: &'static str = "availability";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Pending, "pending"),
        (Self::Online, "online"),
        (Self::Suspect, "suspect"),
        (Self::Offline, "offline"),
    ];
}

impl Word for OperationOutcome {
    const WHAT: &'static str = "outcome of an operation";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Done, "done"),
        (Self::Undone, "undone"),
        (Self::Stuck, "stuck"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reads_back_as_the_choice_it_was_written_for() {
        fn check<W: Word + std::fmt::Debug>() {
            for (choice, word) in W::WORDS {
                assert_eq!(choice.word(), *word);
                assert_eq!(W::read(word).unwrap(), *choice);
            }
            assert!(W::read("sideways").is_err());
        }
        check::<Goal>();
        check::<Kind>();
        check::<OnNodeLoss>();
        check::<SeenState>();
        check::<Scheduling>();
        check::<Availability>();
        check::<OperationOutcome>();
        check::<ArtifactKind>();
        check::<VmGoal>();
        check::<VmSeenState>();
        check::<SnapshotState>();
        check::<DiskOnLoss>();
    }

    #[test]
    fn words_are_those_of_the_wire() {
        fn check<W: Word + serde::Serialize>() {
            for (choice, word) in W::WORDS {
                assert_eq!(serde_json::to_value(choice).unwrap(), *word);
            }
        }
        check::<Goal>();
        check::<Kind>();
        check::<OnNodeLoss>();
        check::<SeenState>();
        check::<Scheduling>();
        check::<ArtifactKind>();
        check::<VmGoal>();
        check::<VmSeenState>();
        check::<SnapshotState>();
        check::<DiskOnLoss>();
    }
}
