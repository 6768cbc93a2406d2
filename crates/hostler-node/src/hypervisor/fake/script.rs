//! How fake agents are told to behave.

use std::time::Duration;

/// What goes wrong, and how slowly things go. By default all goes well.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// So many of the next boots fail.
    pub failing_boots: u32,
    /// So many of the next agents never shake hands.
    pub mute_boots: u32,
    /// So many of the next deploys are refused.
    pub failing_deploys: u32,
    /// Agents that start from now on do not know of leases.
    pub leases_unknown: bool,
    /// Agents do not answer what they are told of their lease, nor heed it.
    pub leases_unheard: bool,
    /// Before a handshake.
    pub boot_takes: Duration,
    /// Before the answer to a deploy.
    pub deploy_takes: Duration,
    /// Before the answer of a function.
    pub call_takes: Duration,
}

impl Script {
    pub(super) fn boot_fails(&mut self) -> bool {
        take(&mut self.failing_boots)
    }

    pub(super) fn boot_is_mute(&mut self) -> bool {
        take(&mut self.mute_boots)
    }

    pub(super) fn deploy_fails(&mut self) -> bool {
        take(&mut self.failing_deploys)
    }
}

fn take(left: &mut u32) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}
