//! Who there is, and who takes which event.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Invariant, Outcome, Violation};
use super::act::Act;
use super::check::{LOOK, SHAPE};
use super::cloud::{Answer, CALL, Call, Cloud, Temper};
use super::manager::Manager;
use super::stage::{Note, Stage};
use super::store::{PoolRow, Store};
use super::{Event, GrowthOptions, MINUTE, SECOND, SETTLE, TROUBLE};
use crate::Labels;
use crate::runner::demand::Failures;
use crate::runner::{Bounds, RunnerId, RunnerPool};

/// Everything there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) stage: Stage,
    pub(super) store: Store,
    pub(super) cloud: Cloud,
    pub(super) managers: Vec<Manager>,
    /// Since when machines of ours have been known to nobody.
    pub(super) orphaned: BTreeMap<RunnerId, u64>,
    seed: u64,
    is_settled: bool,
}

impl World {
    /// The beginning of the history of a seed.
    pub(super) fn new(seed: u64, options: GrowthOptions) -> Self {
        let mut world = Self {
            stage: Stage::new(seed, options),
            store: Store::default(),
            cloud: Cloud::default(),
            managers: Vec::new(),
            orphaned: BTreeMap::new(),
            seed,
            is_settled: false,
        };
        world.cloud.others();
        for number in 0..=world.stage.rng.within(0, 2) {
            world.pool(number);
        }
        for at in 0..=world.stage.rng.place(2) {
            world.managers.push(Manager::new(at));
            world.stage.after(
                0,
                5 * SECOND,
                Event::Pass {
                    manager: at,
                    life: 0,
                },
            );
        }
        world.stage.after(0, MINUTE, Event::Bring);
        world.stage.after(0, SECOND, Event::Place);
        world.stage.after(MINUTE, 10 * MINUTE, Event::Break);
        world.stage.at(TROUBLE, Event::Calm);
        world.stage.at(TROUBLE + MINUTE, Event::Judge);
        world
    }

    /// A pool of some temper; the first one is sound or slow.
    fn pool(&mut self, number: u64) {
        use Temper::{Dead, Flapping, Short, Slow, Sound};
        let Ok(name) = format!("pool-{number}").parse() else {
            return;
        };
        let rng = &mut self.stage.rng;
        let all = [Sound, Slow, Dead, Short, Flapping];
        let kinds = if number == 0 { &all[..2] } else { &all[..] };
        let temper = rng.pick(kinds).unwrap_or(Sound);
        let max = u32::try_from(rng.within(2, 9)).unwrap_or(2);
        let mut pool = RunnerPool::named(name);
        pool.selector = Labels::from([("pool".to_owned(), format!("pool-{number}"))]);
        pool.shape = SHAPE;
        pool.slots = 6;
        pool.price_micros = rng.within(1, 3);
        pool.bounds = Bounds {
            min: u32::try_from(rng.within(0, 2)).unwrap_or(0),
            max,
            warm: u32::try_from(rng.within(0, 1)).unwrap_or(0),
        };
        let fewest = if temper == Slow { 5 } else { 1 };
        pool.boots_at_once = u32::try_from(rng.within(fewest, 5)).unwrap_or(1);
        pool.boot_within = match temper {
            Slow => Duration::from_mins(25),
            _ => Duration::from_mins(5),
        };
        pool.idle_for = Duration::from_secs(rng.within(60, 300));
        pool.retry_most = Duration::from_mins(5);
        self.cloud.tempers.push(temper);
        self.cloud.short_until.push(0);
        self.store.pools.push(PoolRow {
            pool,
            turn: 0,
            failures: Failures::default(),
            scaled_at: None,
        });
    }

    /// Lets everything happen, one event at a time, until all is as wanted or
    /// something is not as it must be.
    pub(super) fn play(mut self) -> Outcome {
        let mut steps = 0;
        while let Some(event) = self.stage.next() {
            steps += 1;
            let (is_call, is_pass) = (
                matches!(event, Event::Call { .. }),
                matches!(event, Event::Pass { .. }),
            );
            self.happen(event);
            if is_call {
                self.check_bounds();
            } else if is_pass {
                self.check_orphans();
            }
            if self.is_settled || self.stage.violated.is_some() {
                break;
            }
        }
        let violated = self.stage.violated.take();
        let tail = self.stage.trace.tail();
        let violation = violated.map(|(invariant, text)| Violation {
            invariant,
            seed: self.seed,
            step: steps,
            text,
            tail,
        });
        Outcome {
            steps,
            hash: self.stage.trace.hash(),
            violation,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Boot(number) => self.boot(number),
            Event::Beat(number) => self.beat(number),
            Event::Gone(number) => self.cloud.gone(&mut self.stage, number),
            Event::Place => self.place(),
            Event::Seat(work, node) => self.seat(work, node),
            Event::Bring => self.bring(),
            Event::Done(work) => self.done(work),
            Event::Break => self.break_something(),
            Event::Start(at) => self.start(at),
            Event::Calm => self.calm(),
            Event::Judge => self.judge(),
            Event::Call {
                manager,
                life,
                call,
            } => self.call(manager, life, call),
            Event::Pass { manager, life }
            | Event::Act { manager, life, .. }
            | Event::Answer { manager, life, .. } => self.on_manager(manager, life, event),
        }
    }

    /// A manager that died does not do what it planned; one that stands still
    /// does it later, when all may have changed.
    fn on_manager(&mut self, at: usize, life: u32, event: Event) {
        let manager = &mut self.managers[at];
        let stage = &mut self.stage;
        if manager.life != life || !manager.is_up {
            return;
        }
        if manager.stalled_until > stage.now {
            let late = stage.rng.within(0, 100);
            return stage.at(manager.stalled_until + late, event);
        }
        match event {
            Event::Pass { .. } => manager.pass(stage, &mut self.store, &self.cloud),
            Event::Act { act, .. } => {
                let done = manager.act(stage, &mut self.store, act.clone());
                stage.note(Note::Acted(at, act.clone(), done));
                if let Act::Finish(_, id) = act {
                    self.check_floor(&id);
                }
            }
            Event::Answer { call, answer, .. } => {
                manager.hear(stage, &mut self.store, &call, answer);
            }
            _ => (),
        }
    }

    /// A call reaches the provider, or gets lost, or gets stuck for so long
    /// that its caller has given up on it; its answer may get lost as well.
    fn call(&mut self, manager: usize, life: u32, call: Call) {
        let now = self.stage.now;
        let mut answer = Answer::Unknown;
        let is_new = match &call {
            Call::Create { id, .. } => self.cloud.find(id).is_none(),
            Call::Release(_) => false,
        };
        if !self.stage.trouble(5) {
            self.check_release(&call);
            answer = self.cloud.take(&mut self.stage, &call);
        } else if is_new && self.stage.trouble(10) {
            self.cloud.strays += 1;
            let late = Event::Call {
                manager,
                life: u32::MAX,
                call: call.clone(),
            };
            let held = self.stage.rng.within(30, 90) * SECOND;
            self.stage.at(now + held, late);
        }
        let lost = self.stage.trouble(15);
        let (delay, answer) = if lost || answer == Answer::Unknown {
            (CALL, Answer::Unknown)
        } else {
            (self.stage.rng.within(50, 2 * SECOND), answer)
        };
        let event = Event::Answer {
            manager,
            life,
            call,
            answer,
        };
        self.stage.at(now + delay, event);
    }

    /// Looks whether all is as wanted; looks again a little later if not.
    fn judge(&mut self) {
        match self.settled() {
            Ok(()) => self.is_settled = true,
            Err(text) if self.stage.now >= TROUBLE + SETTLE => {
                self.stage.violate(Invariant::Converges, || text);
            }
            Err(_) => self.stage.at(self.stage.now + LOOK, Event::Judge),
        }
    }
}
