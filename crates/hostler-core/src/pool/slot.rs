//! One slot of a warm pool: a place for one agent, which takes one workload
//! in its life.
//!
//! ```text
//!  booting ──shake_hands──▶ ready ──claim──▶ claimed
//!     │                       │                 │
//!     └──────────end──────────┴───────end───────┴──▶ gone
//! ```
//!
//! What must never happen: a slot handed out before its agent shook hands, or
//! twice; a slot used again after it was claimed.

use std::fmt;

use crate::Timestamp;
use crate::id::SlotId;

/// Where a slot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotState {
    /// Its agent was started at this moment and has not been heard yet.
    Booting(Timestamp),
    /// Its agent shook hands at this moment and waits for work.
    Ready(Timestamp),
    /// It was handed out.
    Claimed,
    /// Its agent is no more.
    Gone,
}

/// A slot, which only its own steps can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    id: SlotId,
    state: SlotState,
}

/// A step that a slot cannot take from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("slot {slot} cannot {step}: it is {state}")]
pub struct SlotError {
    /// The slot.
    pub slot: SlotId,
    /// What was asked of it.
    pub step: &'static str,
    /// Where it stands.
    pub state: SlotState,
}

impl Slot {
    /// A slot whose agent was started at `now`.
    pub const fn boot(id: SlotId, now: Timestamp) -> Self {
        let state = SlotState::Booting(now);
        Self { id, state }
    }

    /// Its id.
    pub const fn id(&self) -> SlotId {
        self.id
    }

    /// Where it stands.
    pub const fn state(&self) -> SlotState {
        self.state
    }

    /// Its agent was heard for the first time, at `now`.
    pub fn shake_hands(&mut self, now: Timestamp) -> Result<(), SlotError> {
        match self.state {
            SlotState::Booting(_) => self.state = SlotState::Ready(now),
            _ => return Err(self.error("shake hands")),
        }
        Ok(())
    }

    /// It is handed out, now and never again.
    pub fn claim(&mut self) -> Result<(), SlotError> {
        match self.state {
            SlotState::Ready(_) => self.state = SlotState::Claimed,
            _ => return Err(self.error("be claimed")),
        }
        Ok(())
    }

    /// Its agent is no more, for whatever reason.
    pub fn end(&mut self) {
        self.state = SlotState::Gone;
    }

    const fn error(&self, step: &'static str) -> SlotError {
        SlotError {
            slot: self.id,
            step,
            state: self.state,
        }
    }
}

impl fmt::Display for SlotState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Booting(_) => "booting",
            Self::Ready(_) => "ready",
            Self::Claimed => "claimed",
            Self::Gone => "gone",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    /// A slot of each state, by the steps that lead there.
    fn slots() -> [Slot; 4] {
        let booting = Slot::boot(SlotId::from_parts(1, [7; 8]), NOW);
        let mut ready = booting;
        ready.shake_hands(NOW).unwrap();
        let mut claimed = ready;
        claimed.claim().unwrap();
        let mut gone = claimed;
        gone.end();
        [booting, ready, claimed, gone]
    }

    #[test]
    fn a_slot_goes_each_step_once_and_never_back() {
        let check = |step: fn(&mut Slot) -> Result<(), SlotError>, allowed: [bool; 4]| {
            for (slot, allowed) in slots().into_iter().zip(allowed) {
                let mut after = slot;
                assert_eq!(step(&mut after).is_ok(), allowed, "{slot:?}");
                assert_eq!(after != slot, allowed, "{slot:?}");
            }
        };
        check(|slot| slot.shake_hands(NOW), [true, false, false, false]);
        check(Slot::claim, [false, true, false, false]);
    }

    #[test]
    fn every_slot_can_end_and_stays_ended() {
        for mut slot in slots() {
            slot.end();
            assert_eq!(slot.state(), SlotState::Gone);
        }
    }

    #[test]
    fn a_refused_step_says_where_the_slot_stands() {
        let [mut booting, ..] = slots();
        let error = booting.claim().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("slot {} cannot be claimed: it is booting", booting.id())
        );
    }
}
