//! Who there is, and who takes which event.

use super::control::Control;
use super::fault::{Fault, Mend};
use super::machine::{Machine, Monotonic};
use super::network::{Body, End, LONGEST, Message};
use super::stage::Stage;
use super::store::Store;
use super::user::User;
use super::{Event, Invariant, Outcome, SETTLE, SimOptions, TROUBLE, Violation};
use crate::{Name, Resources};

/// Everything there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) stage: Stage,
    pub(super) store: Store,
    pub(super) controls: Vec<Control>,
    pub(super) machines: Vec<Machine>,
    pub(super) user: User,
    pub(super) faults: u64,
    /// The longest time between two faults, in milliseconds. Rare faults show
    /// what many hide, so each history has its own measure.
    pub(super) respite: u64,
    seed: u64,
    settled: bool,
}

impl World {
    /// The beginning of the history of a seed.
    pub(super) fn new(seed: u64, options: SimOptions) -> Self {
        let mut world = Self {
            stage: Stage::new(seed, options),
            store: Store::default(),
            controls: Vec::new(),
            machines: Vec::new(),
            user: User::default(),
            faults: u64::from(options.faults),
            respite: 0,
            seed,
            settled: false,
        };
        world.people();
        world.stage.at(TROUBLE, Event::Calm);
        world.stage.at(TROUBLE + LONGEST, Event::Judge);
        world
    }

    /// One or two control planes whose clocks differ by less than half the
    /// margin, and one to four machines, some of which join later.
    fn people(&mut self) {
        let measure = self.stage.rng.pick(&[6, 15, 40, 90]).unwrap_or(15);
        self.respite = measure * 160_u64.saturating_sub(self.faults).max(60);
        self.user.moves = self.stage.rng.chance(50);
        let project = Name::try_from("default".to_owned());
        for at in 0..=self.stage.rng.place(2) {
            let skew = i64::try_from(self.stage.rng.within(0, 400)).unwrap_or_default() - 200;
            let Ok(project) = project.clone() else { return };
            self.controls.push(Control::new(at, skew, project));
            let (control, life) = (at, 0);
            self.stage.after(0, 500, Event::Pass { control, life });
        }
        for at in 0..=self.stage.rng.place(4) {
            let rng = &mut self.stage.rng;
            let clock = Monotonic {
                offset: rng.within(0, 10_000_000),
                rate: rng.within(950, 1_050),
            };
            let capacity = Resources::of(rng.within(4, 20) * 100, rng.within(4, 20) * 64);
            let joins = if at > 0 && rng.chance(40) {
                rng.within(2_000, 20_000)
            } else {
                rng.within(0, 300)
            };
            let fades = self.faults > 0 && joins > 300 && rng.chance(60);
            self.machines.push(Machine::new(at, clock, capacity));
            self.stage.at(joins, Event::Mend(Mend::Power(at)));
            if fades {
                // Just when the first machine is no longer alone.
                self.stage.at(joins, Event::Strike(Fault::Fades(0, 12_000)));
            }
        }
        self.stage.after(100, 500, Event::Wish);
        self.stage.after(1_000, 4_000, Event::Break);
    }

    /// Lets everything happen, one event at a time, until all is as wanted or
    /// something is not as it must be.
    pub(super) fn play(mut self) -> Outcome {
        let mut steps = 0;
        while let Some(event) = self.stage.next() {
            steps += 1;
            self.happen(event);
            self.check();
            if self.settled || self.stage.violated.is_some() {
                break;
            }
        }
        let violation = self
            .stage
            .violated
            .take()
            .map(|(invariant, text)| Violation {
                invariant,
                seed: self.seed,
                step: steps,
                text,
                tail: self.stage.trace.tail(),
            });
        let hash = self.stage.trace.hash();
        Outcome {
            steps,
            hash,
            violation,
        }
    }

    /// Whether an event is for a program that stands still; it then happens
    /// some time after that has come to itself, in whatever order.
    fn held_up(&self, event: &Event) -> Option<u64> {
        let until = match event {
            Event::Pass { control, .. } | Event::Act { control, .. } => {
                self.controls[*control].stalled_until
            }
            Event::Beat { machine, .. }
            | Event::Start { machine, .. }
            | Event::Stopped { machine, .. }
            | Event::Notice { machine, .. } => self.machines[*machine].stalled_until,
            Event::Arrive(message) => match message.to {
                End::Control(at) => self.controls[at].stalled_until,
                End::Machine(at) => self.machines[at].stalled_until,
                End::User => 0,
            },
            _ => 0,
        };
        (until > self.stage.now).then_some(until)
    }

    fn happen(&mut self, event: Event) {
        if let Some(until) = self.held_up(&event) {
            let late = self.stage.rng.within(0, 60);
            return self.stage.at(until + late, event);
        }
        match event {
            Event::Arrive(message) => self.arrive(*message),
            Event::Wish => {
                let controls = self.controls.len();
                self.user.wish(&mut self.stage, &self.store, controls);
            }
            Event::Break => self.break_something(),
            Event::Strike(fault) => self.strike(fault),
            Event::Mend(mend) => self.mend(mend),
            Event::Calm => self.calm(),
            Event::Judge => self.judge(),
            Event::Pass { control, life } | Event::Act { control, life, .. } => {
                let control = &self.controls[control];
                if control.up && control.life == life {
                    let (stage, store) = (&mut self.stage, &mut self.store);
                    match event {
                        Event::Act { act, .. } => control.act(stage, store, act),
                        _ => control.pass(stage, store),
                    }
                }
            }
            Event::Exit {
                machine,
                agent,
                code,
            } => {
                self.machines[machine].exit(&mut self.stage, agent, code);
            }
            Event::Fence { machine, agent } => self.machines[machine].fence(&mut self.stage, agent),
            Event::Told { machine, .. } => self.machines[machine].told(&mut self.stage, &event),
            Event::Beat { machine, life }
            | Event::Start { machine, life, .. }
            | Event::Stopped { machine, life, .. }
            | Event::Notice { machine, life, .. } => self.on_daemon(machine, life, &event),
        }
    }

    fn on_daemon(&mut self, at: usize, life: u32, event: &Event) {
        let controls = self.controls.len();
        let machine = &mut self.machines[at];
        let stage = &mut self.stage;
        if machine.life != life || machine.daemon.is_none() {
            return;
        }
        match event {
            Event::Beat { .. } => machine.beat(stage, controls),
            Event::Start { workload, .. } => machine.start(stage, *workload),
            Event::Stopped { agent, .. } => machine.stopped(stage, *agent),
            Event::Notice { agent, .. } => machine.notice(stage, *agent),
            _ => (),
        }
    }

    fn arrive(&mut self, message: Message) {
        let Message { from, to, body } = message;
        let stage = &mut self.stage;
        match (to, body) {
            (End::Control(at), body) if self.controls[at].up => {
                self.controls[at].hear(stage, &mut self.store, from, body);
            }
            (End::Machine(at), Body::Unknown(node)) => self.rejoin(at, node),
            (End::Machine(at), body) => self.machines[at].hear(stage, from, body),
            (End::User, body) => self.user.hear(stage, &body),
            (End::Control(_), _) => (),
        }
    }

    /// A node that was unregistered joins again, by its operator's hand.
    fn rejoin(&mut self, at: usize, node: crate::id::NodeId) {
        let machine = &mut self.machines[at];
        if machine.daemon.is_some() && machine.disk.node == Some(node) {
            let node = self.store.node_register(machine.capacity, at);
            machine.join(&mut self.stage, node);
        }
    }

    /// Looks whether all is as wanted; looks again a little later if not.
    fn judge(&mut self) {
        let lost = self.store.nodes.values().filter(|node| node.abandoned);
        for node in lost.map(|node| node.facts.id).collect::<Vec<_>>() {
            self.store.node_forget(node);
        }
        match self.settled() {
            Ok(()) => self.settled = true,
            Err(text) if self.stage.now >= TROUBLE + SETTLE => {
                self.stage.violate(Invariant::Converges, || text);
            }
            Err(_) => self.stage.after(500, 500, Event::Judge),
        }
    }
}
