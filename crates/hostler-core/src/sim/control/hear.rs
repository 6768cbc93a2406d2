//! What a control plane makes of what it is told.

use super::super::network::{Body, End};
use super::super::stage::Stage;
use super::super::store::{Heard, Store, Verb};
use super::super::trace::Note;
use super::super::{Beat, Entry, Guard, HEARTBEAT, Spec};
use super::Control;
use crate::id::NodeId;
use crate::node::Scheduling;
use crate::workload::{NodeGoal, Word};

impl Control {
    /// Takes in what was said to it.
    pub(in crate::sim) fn hear(&self, stage: &mut Stage, store: &mut Store, from: End, body: Body) {
        match body {
            Body::Heartbeat {
                node,
                beat,
                span,
                ledger,
            } => {
                let kept = if stage.guards(Guard::NamedSpan) {
                    span
                } else {
                    (store.nodes.len() > 1).then_some(stage.timing.fence_after)
                };
                let at = self.moment(stage);
                let heard = store.heartbeat((node, beat), kept, &ledger, at);
                self.answer(stage, from, (node, beat), heard);
            }
            Body::Word(node, entry) => {
                store.seen(node, entry, Word::Answer);
                let Entry {
                    workload,
                    generation,
                    state,
                } = entry;
                stage.note(Note::Seen(node, workload, generation, state));
            }
            Body::Ask(verb) => self.asked(stage, store, verb),
            _ => (),
        }
    }

    fn answer(&self, stage: &mut Stage, to: End, (node, beat): (NodeId, Beat), heard: Heard) {
        let me = End::Control(self.at);
        let (fence_after, retire, forget) = match heard {
            Heard::Stale => return,
            Heard::Unknown => return stage.send(me, to, Body::Unknown(node)),
            Heard::News {
                fence_after,
                retire,
                forget,
            } => (fence_after, retire, forget),
        };
        stage.note(Note::Heard(node, beat.sequence));
        for (workload, generation) in retire {
            let order = Body::Order {
                workload,
                generation,
                goal: NodeGoal::Gone,
                beat: None,
                spec: Spec::default(),
            };
            stage.send(me, to, order);
        }
        let Beat { boot, sequence } = beat;
        stage.send(
            me,
            to,
            Body::Answer {
                boot,
                sequence,
                fence_after,
                forget,
            },
        );
    }

    fn asked(&self, stage: &mut Stage, store: &mut Store, verb: Verb) {
        match verb {
            Verb::Create(key, spec) => {
                let id = store.workload_insert(key, spec);
                stage.send(End::Control(self.at), End::User, Body::Created(key, id));
            }
            Verb::Want(id, goal) => store.workload_want(id, goal),
            Verb::Operate(kind, node) => {
                store.operation_insert(kind, node, self.now(stage) + HEARTBEAT * 20);
            }
            Verb::Cancel(at) => store.operation_cancel(at),
            Verb::Open(node) => store.node_schedule(node, Scheduling::Open),
            Verb::Off(node) => store.node_forget(node),
        }
    }
}
