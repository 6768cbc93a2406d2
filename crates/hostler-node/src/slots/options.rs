//! What the slots of a node are told at start. Nothing is read from the
//! environment here; whoever starts the slots has checked these values.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::hypervisor::DriverChoice;

/// How a node's slots are made and kept.
#[derive(Clone, Debug)]
pub struct SlotsOptions {
    /// The node's data folder; `slots/` and `inner/` below it are ours.
    pub data: PathBuf,
    /// The agent's program.
    pub agent: PathBuf,
    /// The `nats-server` program.
    pub nats_server: PathBuf,
    /// How slots are made.
    pub driver: DriverChoice,
    /// How many are kept warm.
    pub pool: PoolOptions,
    /// How long each kind of answer is waited for.
    pub deadlines: Deadlines,
    /// Events that wait for their reader at once; log lines beyond it are
    /// dropped and counted, other events wait.
    pub events: usize,
    /// The clock of leases.
    pub clock: Clock,
}

impl SlotsOptions {
    /// The usual settings for a node with this data folder and agent program.
    pub fn new(data: impl Into<PathBuf>, agent: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            agent: agent.into(),
            nats_server: PathBuf::from("nats-server"),
            driver: DriverChoice::Best,
            pool: PoolOptions::default(),
            deadlines: Deadlines::default(),
            events: 4_096,
            clock: Clock::default(),
        }
    }
}

impl SlotsOptions {
    /// The same for slots whose guests are emulated: what takes a moment
    /// elsewhere takes seconds there, and minutes on a busy machine. One at a
    /// time boots faster than two.
    pub(crate) fn emulated(mut self) -> Self {
        let minutes = Duration::from_mins(3);
        let (pool, deadlines) = (&mut self.pool, &mut self.deadlines);
        pool.parallel = 1;
        for span in [&mut pool.boot, &mut pool.claim, &mut deadlines.deploy] {
            *span = minutes.max(*span);
        }
        for span in [&mut deadlines.trigger, &mut deadlines.undeploy] {
            *span = Duration::from_secs(30).max(*span);
        }
        deadlines.ping = Duration::from_secs(10).max(deadlines.ping);
        self
    }
}

/// How the warm pool is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Ready slots to keep, asked for or not (original: `machine_pool_size`).
    pub warm: u32,
    /// Ready slots to keep at most, when many were asked for lately.
    pub warm_most: u32,
    /// Slots of every kind at once, claimed ones included.
    pub max: u32,
    /// Boots at once.
    pub parallel: u32,
    /// From start to handshake; a slot that takes longer is given up.
    pub boot: Duration,
    /// How long a claim counts as demand.
    pub demand_window: Duration,
    /// How long a claim waits for a slot when none is ready.
    pub claim: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            warm: 2,
            warm_most: 8,
            max: 256,
            parallel: 2,
            boot: Duration::from_secs(5),
            demand_window: Duration::from_mins(1),
            claim: Duration::from_secs(10),
        }
    }
}

/// How long answers of an agent are waited for (protocol, appendix C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From the last chunk of the artifact, or the request, to the answer of
    /// a deploy. The original's second counts from the request and includes
    /// the transfer; a function is compiled in this time as well.
    pub deploy: Duration,
    /// A trigger.
    pub trigger: Duration,
    /// An undeploy, beyond its grace.
    pub undeploy: Duration,
    /// A ping.
    pub ping: Duration,
    /// From SIGKILL until no process of a slot is left.
    pub kill: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            deploy: Duration::from_secs(10),
            trigger: Duration::from_secs(10),
            undeploy: Duration::from_millis(500),
            ping: Duration::from_millis(750),
            kill: Duration::from_secs(10),
        }
    }
}
