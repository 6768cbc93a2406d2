//! A provider without machines: for tests, which say what happens to each
//! runner, and for trying the API without a cloud, where it happens by itself.
//!
//! Its world outlives a manager, so that a test can end one in the middle and
//! start the next.

mod faults;
mod pace;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hostler_core::Timestamp;
use hostler_core::runner::{Reason, RunnerFacts, RunnerId, RunnerPool};
use tokio::sync::watch;

use super::{Check, Order, Provider, ProviderError, ProviderInfo, Snapshot};
use crate::clock::Clock;
pub use faults::{Call, Death, Fault};
pub use pace::Pace;
use world::World;

/// A provider without machines.
#[derive(Clone)]
pub struct Fake {
    world: Arc<Mutex<World>>,
    seen: Arc<watch::Sender<Arc<Snapshot>>>,
    clock: Clock,
}

impl Fake {
    /// One in which nothing happens by itself.
    pub fn new(clock: Clock) -> Self {
        let synced = Snapshot {
            is_synced: true,
            ..Snapshot::default()
        };
        Self {
            world: Arc::default(),
            seen: Arc::new(watch::Sender::new(Arc::new(synced))),
            clock,
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world, and shows it as it is then.
    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        let result = change(&mut world);
        let snapshot = Arc::new(world.snapshot());
        self.seen.send_if_modified(|seen| {
            let is_new = *seen != snapshot;
            *seen = snapshot;
            is_new
        });
        result
    }

    /// Makes the next calls fail so, one after the other.
    pub fn fault(&self, fault: Fault) {
        self.world().faults.add(fault);
    }

    /// The manager with this token dies in the middle of a call.
    pub fn death(&self, death: Death) {
        self.world().faults.dies(death);
    }

    /// How many runners there are.
    pub fn count(&self) -> usize {
        self.world().runners.len()
    }

    /// The ids of all runners.
    pub fn ids(&self) -> Vec<RunnerId> {
        self.world().runners.keys().cloned().collect()
    }

    /// What was called, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// Changes the facts of a runner.
    pub fn alter(&self, id: &RunnerId, alter: impl FnOnce(&mut RunnerFacts)) {
        self.change(|world| {
            if let Some(facts) = world.runners.get_mut(id) {
                alter(facts);
            }
        });
    }

    /// Puts a runner there that nobody asked for.
    pub fn appear(&self, facts: RunnerFacts) {
        self.change(|world| world.runners.insert(facts.id.clone(), facts));
    }

    /// Gives the runner this machine, which works.
    pub fn place(&self, id: &RunnerId, node: &str) {
        self.change(|world| world.place(id, node));
    }

    /// Makes the program on the runner's machine work.
    pub fn run(&self, id: &RunnerId) {
        self.change(|world| world.run(id));
    }

    /// Takes the runner away, as somebody else would.
    pub fn vanish(&self, id: &RunnerId) {
        self.change(|world| world.runners.remove(id));
    }

    /// Says what hinders it from seeing, or that nothing does.
    pub fn ails(&self, problem: Option<Reason>) {
        self.change(|world| world.problem = problem);
    }

    /// A machine that nobody manages.
    pub fn machine(&self, node: &str) {
        self.change(|world| world.machines.push(node.to_owned()));
    }

    /// Released runners stay, ending, until they vanish.
    pub fn ends_slowly(&self) {
        self.change(|world| world.ends_slowly = true);
    }

    /// From now on, new runners are not shown, which is said to be so for this
    /// long at most.
    pub fn hides(&self, lag: Duration) {
        self.change(|world| world.lag = lag);
    }

    /// Only so many machines are given; further requests wait and say why.
    pub fn limit(&self, pool: &str, most: usize) {
        self.change(|world| world.limits.insert(pool.to_owned(), most));
    }

    fn call(&self, call: &Call) -> Result<Option<ProviderError>, ProviderError> {
        let mut world = self.world();
        world.calls.push(call.clone());
        world.faults.next(call)
    }

    /// Does what is asked, unless a fault says otherwise; with a lost answer it
    /// is done all the same.
    fn act(&self, call: &Call, act: impl FnOnce(&mut World)) -> Result<(), ProviderError> {
        let lost = self.call(call)?;
        self.change(act);
        lost.map_or(Ok(()), Err)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

#[async_trait]
impl Provider for Fake {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "fake",
            lag: self.world().lag,
            calls_at_once: 16,
        }
    }

    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.seen.subscribe()
    }

    async fn create(&self, order: &Order) -> Result<(), ProviderError> {
        tokio::task::yield_now().await;
        let death = self.world().faults.death_at_create();
        death.before().await;
        let now = self.now();
        let done = self.act(&Call::Create(order.id.clone()), |world| {
            world.create(order, now);
        });
        death.after().await;
        done
    }

    async fn cordon(&self, id: &RunnerId, closed: bool) -> Result<(), ProviderError> {
        let call = Call::Cordon(id.clone(), closed);
        self.act(&call, |world| world.cordon(id, closed))
    }

    async fn release(&self, id: &RunnerId) -> Result<(), ProviderError> {
        let death = self.world().faults.death_at_release();
        death.before().await;
        let done = self.act(&Call::Release(id.clone()), |world| world.release(id));
        death.after().await;
        done
    }

    async fn check(&self, pools: &[Arc<RunnerPool>]) -> Vec<Check> {
        let check = |pool: &Arc<RunnerPool>| Check {
            name: format!("pool {}", pool.name),
            problem: None,
            is_needed: false,
        };
        pools.iter().map(check).collect()
    }
}
