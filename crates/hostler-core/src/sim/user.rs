//! People: they wish for workloads, change their minds, move work off nodes,
//! and repeat themselves until they are told that a wish was heard.

use super::network::{Body, End};
use super::stage::Stage;
use super::store::{Store, Verb};
use super::trace::Note;
use super::{Event, Invariant, Spec};
use crate::Resources;
use crate::id::{NodeId, WorkloadId};
use crate::operation::OperationKind;
use crate::workload::{Goal, OnNodeLoss};

/// A workload somebody wished for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// The idempotency key under which it is asked for, each time.
    pub(super) key: u32,
    spec: Spec,
    /// What was made, once they were told.
    pub(super) id: Option<WorkloadId>,
    /// Whether they ever asked for it to be deleted.
    pub(super) deleted: bool,
}

/// The most wishes at a time.
const MOST: usize = 12;

/// Everybody who asks for things.
#[derive(Debug, Default)]
pub(super) struct User {
    /// Whether they also move work off nodes.
    pub(super) moves: bool,
    pub(super) wishes: Vec<Wish>,
}

impl User {
    /// Asks for something, and plans the next.
    pub(super) fn wish(&mut self, stage: &mut Stage, store: &Store, controls: usize) {
        if stage.calm {
            return;
        }
        for at in 0..self.wishes.len() {
            if self.wishes[at].id.is_none() && stage.rng.chance(50) {
                self.create(stage, at, controls);
            }
        }
        match stage.rng.within(0, 99) {
            0..20 => {
                let live = self.wishes.iter().filter(|wish| !wish.deleted).count();
                for _ in live..stage.rng.place(4).saturating_add(live + 1).min(MOST) {
                    let at = self.invent(stage);
                    self.create(stage, at, controls);
                }
            }
            20..70 => self.change(stage, controls),
            70..84 if self.moves => operate(stage, store, controls),
            84..94 => on_node(stage, store, controls, Verb::Open),
            _ => off(stage, store, controls),
        }
        stage.after(100, 1_400, Event::Wish);
    }

    fn invent(&mut self, stage: &mut Stage) -> usize {
        let rng = &mut stage.rng;
        let on_node_loss = if rng.chance(25) {
            OnNodeLoss::Wait
        } else {
            OnNodeLoss::Restart
        };
        self.wishes.push(Wish {
            key: u32::try_from(self.wishes.len()).unwrap_or(u32::MAX),
            spec: Spec {
                resources: Resources::of(rng.within(1, 5) * 100, rng.within(1, 5) * 64),
                on_node_loss,
                essential: rng.chance(70),
            },
            id: None,
            deleted: false,
        });
        self.wishes.len() - 1
    }

    /// The same request up to five times, to whichever control plane.
    fn create(&self, stage: &mut Stage, at: usize, controls: usize) {
        let verb = Verb::Create(self.wishes[at].key, self.wishes[at].spec);
        for _ in 0..stage.rng.within(1, 5) {
            ask(stage, controls, verb);
        }
    }

    fn change(&mut self, stage: &mut Stage, controls: usize) {
        let known: Vec<usize> = (0..self.wishes.len())
            .filter(|at| self.wishes[*at].id.is_some())
            .collect();
        let Some(at) = stage.rng.pick(&known) else {
            return;
        };
        let wish = &mut self.wishes[at];
        let Some(id) = wish.id else {
            return;
        };
        let goal = match stage.rng.within(0, 9) {
            0..4 => Goal::Running,
            4..8 => Goal::Stopped,
            _ => Goal::Gone,
        };
        wish.deleted |= goal == Goal::Gone;
        ask(stage, controls, Verb::Want(id, goal));
    }

    /// Takes in the answer to a wish.
    pub(super) fn hear(&mut self, stage: &mut Stage, body: &Body) {
        let Body::Created(key, id) = body else {
            return;
        };
        stage.note(Note::Told(*key, *id));
        let wish = self.wishes.iter_mut().find(|wish| wish.key == *key);
        let Some(wish) = wish else {
            return;
        };
        if let Some(before) = wish.id.replace(*id).filter(|before| before != id) {
            stage.violate(Invariant::NothingForgotten, || {
                format!("one key made {before:?} and {id:?}")
            });
        }
    }
}

fn ask(stage: &mut Stage, controls: usize, verb: Verb) {
    stage.note(Note::Asked(verb));
    let to = End::Control(stage.rng.place(controls));
    stage.send(End::User, to, Body::Ask(verb));
}

fn on_node(stage: &mut Stage, store: &Store, controls: usize, verb: impl FnOnce(NodeId) -> Verb) {
    let nodes: Vec<NodeId> = store.nodes.keys().copied().collect();
    if let Some(node) = stage.rng.pick(&nodes) {
        ask(stage, controls, verb(node));
    }
}

fn operate(stage: &mut Stage, store: &Store, controls: usize) {
    if stage.rng.chance(30) && !store.operations.is_empty() {
        let at = stage.rng.place(store.operations.len());
        return ask(stage, controls, Verb::Cancel(at));
    }
    let kind = stage.rng.pick(&OperationKind::ALL);
    if let Some(kind) = kind {
        on_node(stage, store, controls, |node| Verb::Operate(kind, node));
    }
}

/// Says of a node that its machine is off for good. They only say so when it
/// is true: its identity was on a disk that is lost.
fn off(stage: &mut Stage, store: &Store, controls: usize) {
    let gone = store.nodes.values().filter(|node| node.abandoned);
    let gone: Vec<NodeId> = gone.map(|node| node.facts.id).collect();
    if let Some(node) = stage.rng.pick(&gone) {
        ask(stage, controls, Verb::Off(node));
    }
}
