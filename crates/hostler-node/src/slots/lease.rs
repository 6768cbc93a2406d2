//! Telling a slot's agent when its lease ends, by the agent's own clock.
//!
//! Every message that carries a reading of that clock leaves it in the table,
//! and the newest is used: clocks drift apart. One that was long on its way
//! makes the end come early, until the next.

use std::time::Duration;

use hostler_core::id::SlotId;
use hostler_core::node::AgentClock;
use hostler_wire::agent::AgentLease;

use super::LinkError;
use super::shared::Shared;
use super::table::Table;
use crate::clock::Clock;
use crate::fence::Word;

/// What an agent made of being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseHeard {
    /// It keeps to that, or to something newer.
    Known,
    /// It does not know of leases.
    NotUnderstood,
}

/// Tells the agent, which may be asked for its clock before.
pub(crate) async fn lease(
    shared: &Shared,
    slot: SlotId,
    word: Word,
) -> Result<LeaseHeard, LinkError> {
    let patience = shared.options.deadlines.ping;
    if shared.table.clock(slot).is_none() {
        let state = shared.link.ping(slot, patience).await?;
        clock_note(&shared.table, &shared.options.clock, slot, state.clock_ms);
    }
    let Some(lease) = placed(&shared.table, slot, word) else {
        return Ok(LeaseHeard::NotUnderstood);
    };
    let reply = shared.link.lease(slot, &lease, patience).await?;
    let clock = &shared.options.clock;
    clock_note(&shared.table, clock, slot, Some(reply.clock_ms));
    if reply.order < word.order {
        return Err(LinkError::Refused("its lease has ended".to_owned()));
    }
    Ok(LeaseHeard::Known)
}

/// The word in the agent's own terms; nothing for one whose clock is unknown.
pub(crate) fn placed(table: &Table, slot: SlotId, word: Word) -> Option<AgentLease> {
    let clock = table.clock(slot)?;
    let until = word.ends_at.map(|end| clock.moment(end).as_millis());
    Some(AgentLease {
        order: word.order,
        until_ms: until.map(|ms| u64::try_from(ms).unwrap_or(u64::MAX)),
    })
}

/// Notes a reading that has just arrived.
pub(crate) fn clock_note(table: &Table, ours: &Clock, slot: SlotId, theirs: Option<u64>) {
    if let Some(theirs) = theirs {
        let reading = AgentClock {
            theirs: Duration::from_millis(theirs),
            ours: ours.now(),
        };
        table.clock_set(slot, reading);
    }
}
