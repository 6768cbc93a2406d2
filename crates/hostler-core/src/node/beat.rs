//! Which heartbeat: the name both sides use for one moment that each of them
//! can place on its own clock.
//!
//! The node knows when it *sent* a heartbeat, the control plane when it
//! *received* it, and neither needs the other's clock. An order to run names
//! the newest heartbeat its sender had heard, so the receiver can tell an
//! order that was held up from one that was just given.

use serde::{Deserialize, Serialize};

use crate::id::BootId;

/// One heartbeat of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Beat {
    /// The start of the node's daemon that sent it.
    pub boot: BootId,
    /// Its number within that start; counts up.
    pub sequence: u64,
}

impl Beat {
    /// Whether a control plane that has heard `held` should listen to `self`:
    /// within a boot only to what is newer, since the network reorders. Boots
    /// have no order that a machine whose clock was set back could keep, so
    /// another boot is always listened to; nothing a late one says can harm.
    pub fn is_news_after(self, held: Option<Self>) -> bool {
        held.is_none_or(|held| held.boot != self.boot || self.sequence > held.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_boot_only_a_newer_heartbeat_is_news() {
        let beat = |boot, sequence| Beat {
            boot: BootId::from_parts(boot, [0; 10]),
            sequence,
        };
        let held = Some(beat(7, 5));
        assert!(beat(7, 1).is_news_after(None));
        assert!(beat(7, 6).is_news_after(held));
        assert!(!beat(7, 5).is_news_after(held));
        assert!(!beat(7, 4).is_news_after(held));
        assert!(beat(8, 1).is_news_after(held));
        assert!(beat(6, 1).is_news_after(held), "a clock set back");
    }
}
