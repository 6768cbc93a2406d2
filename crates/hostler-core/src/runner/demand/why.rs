//! Why the closed loop does something or does not: a code for programs and a
//! sentence for people, both for the event that goes with every decision.

use std::fmt;
use std::time::Duration;

use crate::Resources;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Work has no place on any node.
    Demand {
        /// How many workloads.
        works: u32,
        /// What they need together.
        needs: Resources,
    },
    /// There are fewer machines than the pool's floor.
    Floor {
        /// The floor.
        min: u32,
    },
    /// There are fewer idle machines than are to be kept warm.
    Warm {
        /// How many are to be warm.
        warm: u32,
    },
    /// Nobody has needed them.
    Idle {
        /// For how long at least.
        idle_for: Duration,
    },
    /// There are more machines than the pool may have.
    AboveMax {
        /// The most it may have.
        max: u32,
    },
    /// They did not become nodes in time.
    NeverJoined {
        /// The time they had.
        within: Duration,
    },
    /// They became nodes and were silent for too long.
    Lost {
        /// The silence that was granted.
        after: Duration,
    },
    /// The provider could not make or keep them.
    Failed,
    /// Work came to them while they were being drained.
    WorkArrived,
    /// They are needed again.
    NeededAgain,
    /// The pool has as many machines as it may.
    AtMax {
        /// How many.
        max: u32,
    },
    /// As many machines are booting as may at once.
    InFlight {
        /// How many.
        bound: u32,
        /// Whether the bound is that of a pool that failed lately.
        trying: bool,
    },
    /// The pool has failed and is left alone for a while.
    BackedOff {
        /// How often in a row.
        rounds: u32,
        /// How long still.
        left: Duration,
    },
    /// The pool's schedule or price says that nothing is bought now.
    Closed,
    /// No pool has machines of this size with these labels.
    NoPool {
        /// What is needed.
        needs: Resources,
    },
    /// Every pool that could take it is full, closed or failing.
    NoPoolNow {
        /// How many pools could.
        pools: usize,
    },
    /// It must be near to other work; a new machine would not be.
    Nearness,
    /// A free machine has the room, and placement does not give it.
    NotByRoom,
}

impl Why {
    /// Whether it passes by itself, soon, with what is under way.
    pub(super) const fn is_short(&self) -> bool {
        matches!(self, Self::InFlight { trying: false, .. })
    }

    /// The code, which does not change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Demand { .. } => "demand",
            Self::Floor { .. } => "floor",
            Self::Warm { .. } => "warm",
            Self::Idle { .. } => "idle",
            Self::AboveMax { .. } => "above_max",
            Self::NeverJoined { .. } => "never_joined",
            Self::Lost { .. } => "lost",
            Self::Failed => "failed",
            Self::WorkArrived => "work_arrived",
            Self::NeededAgain => "needed_again",
            Self::AtMax { .. } => "at_max",
            Self::InFlight { .. } => "in_flight",
            Self::BackedOff { .. } => "backed_off",
            Self::Closed => "closed",
            Self::NoPool { .. } => "no_pool",
            Self::NoPoolNow { .. } => "no_pool_now",
            Self::Nearness => "nearness",
            Self::NotByRoom => "not_by_room",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demand { works, needs } => {
                let Resources { cpu, memory } = needs;
                let have = if *works == 1 {
                    "workload has"
                } else {
                    "workloads have"
                };
                write!(
                    f,
                    "{works} {have} no place: cpu {cpu}, memory {memory} together"
                )
            }
            Self::Floor { min } => write!(f, "the pool keeps at least {min}"),
            Self::Warm { warm } => write!(f, "the pool keeps {warm} idle"),
            Self::Idle { idle_for } => write!(f, "idle for {} and not needed", span(*idle_for)),
            Self::AboveMax { max } => write!(f, "the pool may have {max} at most"),
            Self::NeverJoined { within } => write!(f, "no node within {}", span(*within)),
            Self::Lost { after } => write!(f, "its node was silent for {}", span(*after)),
            Self::Failed => f.write_str("the provider could not make or keep it"),
            Self::WorkArrived => f.write_str("work came while it was being drained"),
            Self::NeededAgain => f.write_str("needed again before it was gone"),
            _ => self.refusal(f),
        }
    }
}

impl Why {
    fn refusal(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMax { max } => write!(f, "the pool has all {max} machines that it may"),
            Self::InFlight { bound, trying } => {
                let after = if *trying { ", as it failed lately" } else { "" };
                write!(f, "at most {bound} may be booting at once{after}")
            }
            Self::BackedOff { rounds, left } => {
                let left = span(*left);
                write!(f, "failed {rounds} times in a row; tried again in {left}")
            }
            Self::Closed => f.write_str("by its schedule or price, nothing is bought now"),
            Self::NoPool { needs } => {
                let Resources { cpu, memory } = needs;
                write!(
                    f,
                    "no pool with these labels has machines of cpu {cpu}, memory {memory}"
                )
            }
            Self::NoPoolNow { pools: 1 } => {
                f.write_str("the only pool that could take it is full, closed or failing")
            }
            Self::NoPoolNow { pools } => {
                write!(
                    f,
                    "all {pools} pools that could take it are full, closed or failing"
                )
            }
            Self::Nearness => f.write_str("it must be near to other work; a new machine is not"),
            _ => f.write_str("a free machine has the room; placement refuses it for its rules"),
        }
    }
}

/// Whole seconds, or minutes when it is some.
fn span(span: Duration) -> String {
    match span.as_secs() {
        secs if secs >= 60 && secs.is_multiple_of(60) => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}
