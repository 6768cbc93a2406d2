//! The processes on a machine, each kept by its agent, which outlives the
//! daemon. When it ends its process by itself is in `told`.

use std::time::Duration;

use super::super::stage::Stage;
use super::super::trace::Note;
use super::super::{Event, Guard};
use super::Machine;
use crate::Generation;
use crate::id::WorkloadId;
use crate::node::ToldEnd;
use crate::workload::{
    AfterExit, Exit, NodeGoal, OnNodeLoss, RestartPolicy, SeenState, after_exit,
};

/// An agent with a process, or with what is left of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Agent {
    /// A number no other agent has.
    pub(in crate::sim) number: u64,
    pub(in crate::sim) workload: WorkloadId,
    pub(in crate::sim) generation: Generation,
    /// How the process ended, if it did.
    pub(in crate::sim) exit: Option<i32>,
    /// When the process must end, by the machine's monotonic clock.
    pub(super) told: ToldEnd,
    started: Duration,
}

/// The exit code of a process that its agent killed at the end of the lease.
pub(super) const FENCED: i32 = -9;

/// Few and quick restarts, so that the end of a history need not wait.
const RESTARTS: RestartPolicy = RestartPolicy {
    first_pause: Duration::from_millis(500),
    longest_pause: Duration::from_secs(4),
    limit: 4,
    settled_after: Duration::from_secs(5),
};

impl Agent {
    /// Whether it keeps a living process of this workload.
    pub(in crate::sim) fn runs(&self, workload: WorkloadId) -> bool {
        self.workload == workload && self.exit.is_none()
    }
}

impl Machine {
    /// Starts the process of an entry, if all is still as when that was planned.
    pub(in crate::sim) fn start(&mut self, stage: &mut Stage, workload: WorkloadId) {
        let now = self.clock.at(stage.now);
        let Some(record) = self.disk.ledger.get(&workload) else {
            return;
        };
        if self.state(workload, record, now) != SeenState::Starting
            || self.agents.iter().any(|agent| agent.workload == workload)
        {
            return;
        }
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        self.words += 1;
        let leased = record.spec.on_node_loss == OnNodeLoss::Restart;
        let ends = daemon.lease.agents_end(now);
        let ends = ends.filter(|_| leased && stage.guards(Guard::Fence));
        let mut told = ToldEnd::default();
        told.hear(self.words, ends, now);
        let agent = Agent {
            number: stage.rng.next(),
            workload,
            generation: record.generation,
            exit: None,
            told,
            started: now,
        };
        if ends.is_some() {
            daemon.knowing.insert(agent.number);
        }
        stage.note(Note::Started(self.at, workload, agent.generation));
        self.agents.push(agent);
        self.watch(stage, agent);
        if !stage.calm && stage.rng.chance(15) {
            let code = i32::from(!stage.rng.chance(30));
            let (machine, agent) = (self.at, agent.number);
            stage.after(
                200,
                5_000,
                Event::Exit {
                    machine,
                    agent,
                    code,
                },
            );
        }
    }

    /// A process ends; the daemon notices a little later, if it is there.
    pub(in crate::sim) fn exit(&mut self, stage: &mut Stage, number: u64, code: i32) {
        let (machine, life) = (self.at, self.life);
        let agent = self.agents.iter_mut().find(|agent| agent.number == number);
        if let Some(agent) = agent.filter(|agent| agent.exit.is_none()) {
            agent.exit = Some(code);
            let how = if code == FENCED { "fenced" } else { "exited" };
            stage.note(Note::Gone(self.at, agent.workload, agent.generation, how));
            let agent = agent.number;
            stage.after(
                1,
                20,
                Event::Notice {
                    machine,
                    life,
                    agent,
                },
            );
        }
    }

    /// The daemon decides what becomes of a process that has ended.
    pub(in crate::sim) fn notice(&mut self, stage: &mut Stage, number: u64) {
        let now = self.clock.at(stage.now);
        let at = self.agents.iter().position(|agent| agent.number == number);
        let ended = at.filter(|at| self.agents[*at].exit.is_some());
        let Some(agent) = ended.map(|at| self.agents.swap_remove(at)) else {
            return;
        };
        let (machine, life, workload) = (self.at, self.life, agent.workload);
        let (Some(daemon), Some(record)) = (&mut self.daemon, self.disk.ledger.get_mut(&workload))
        else {
            return;
        };
        let code = agent.exit.unwrap_or_default();
        if record.goal == NodeGoal::Gone {
            return self.cleared(stage, workload);
        }
        if record.generation != agent.generation {
            return;
        }
        if code == FENCED {
            return self.start_again(stage, workload);
        }
        let Some(known) = daemon.known.get_mut(&workload) else {
            return;
        };
        let ran = now.saturating_sub(agent.started);
        match after_exit(
            Exit { code, ran },
            record.spec.essential,
            known.restarts,
            &RESTARTS,
        ) {
            AfterExit::Ended => record.outcome = Some(SeenState::Ended),
            AfterExit::Failed => record.outcome = Some(SeenState::Failed),
            AfterExit::Restart { pause, restarts } => {
                known.restarts = restarts;
                let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                stage.after(
                    pause,
                    pause + 5,
                    Event::Start {
                        machine,
                        life,
                        workload,
                    },
                );
            }
        }
    }

    /// Plans a start, which comes to pass if the daemon still has its lease.
    fn start_again(&self, stage: &mut Stage, workload: WorkloadId) {
        let (machine, life) = (self.at, self.life);
        let start = Event::Start {
            machine,
            life,
            workload,
        };
        stage.after(5, 600, start);
    }

    /// A process that was told to stop has done so.
    pub(in crate::sim) fn stopped(&mut self, stage: &mut Stage, number: u64) {
        let at = self.agents.iter().position(|agent| agent.number == number);
        let Some((at, workload)) = at.map(|at| (at, self.agents[at].workload)) else {
            return;
        };
        let record = self.disk.ledger.get(&workload);
        if record.is_none_or(|record| record.goal == NodeGoal::Gone) {
            let agent = self.agents.swap_remove(at);
            stage.note(Note::Gone(self.at, workload, agent.generation, "stopped"));
            self.cleared(stage, workload);
        }
    }

    /// Kills what runs of a workload, to make place for what follows.
    pub(in crate::sim) fn agent_replace(&mut self, stage: &mut Stage, workload: WorkloadId) {
        for agent in self
            .agents
            .iter()
            .filter(|agent| agent.workload == workload)
        {
            let note = Note::Gone(self.at, workload, agent.generation, "replaced");
            stage.note(note);
        }
        self.agents.retain(|agent| agent.workload != workload);
    }
}
