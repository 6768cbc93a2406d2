//! What agents know of the lease. The daemon tells them its end after each
//! renewal, over a link that is slow now and then, or loses what is said. At
//! the end that it knows an agent kills its process, whatever has become of
//! the daemon.

use super::super::stage::Stage;
use super::super::{Event, Guard};
use super::agents::{Agent, FENCED};
use super::{Machine, Record};
use crate::workload::OnNodeLoss;

/// Between two looks of a daemon at its lease, in milliseconds.
const LOOK: u64 = 100;

impl Machine {
    /// Has all leased processes rely on the renewed lease, and tells their
    /// agents its end.
    pub(in crate::sim) fn renew(&mut self, stage: &mut Stage) {
        let now = self.clock.at(stage.now);
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let ends_at = daemon.lease.agents_end(now);
        let ends_at = ends_at.filter(|_| stage.guards(Guard::Fence));
        self.words += 1;
        for agent in self.agents.iter().filter(|agent| agent.exit.is_none()) {
            let record = self.disk.ledger.get(&agent.workload);
            if !is_leased(record) {
                continue;
            }
            if let Some(known) = daemon.known.get_mut(&agent.workload) {
                known.relies_on = Some(now);
            }
            let told = Event::Told {
                machine: self.at,
                life: self.life,
                agent: agent.number,
                order: self.words,
                ends_at,
            };
            tell(stage, told);
        }
    }

    /// An agent is told the end, and its answer reaches the daemon.
    pub(in crate::sim) fn told(&mut self, stage: &mut Stage, event: &Event) {
        let Event::Told {
            life,
            agent,
            order,
            ends_at,
            ..
        } = *event
        else {
            return;
        };
        let now = self.clock.at(stage.now);
        let mut agents = self.agents.iter_mut();
        let Some(agent) = agents.find(|one| one.number == agent && one.exit.is_none()) else {
            return;
        };
        let was_free = agent.told.ends_at().is_none();
        let heard = agent.told.hear(order, ends_at, now);
        let agent = *agent;
        if heard && was_free {
            self.watch(stage, agent);
        }
        if let Some(daemon) = self.daemon.as_mut().filter(|_| life == self.life)
            && agent.told.ends_at().is_some()
        {
            daemon.knowing.insert(agent.number);
            self.take_over(stage);
        }
    }

    /// Takes over the span that is offered, if every agent knows an end.
    pub(in crate::sim) fn take_over(&mut self, stage: &Stage) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let leased = |agent: &&Agent| is_leased(self.disk.ledger.get(&agent.workload));
        let mut living = self.agents.iter().filter(|agent| agent.exit.is_none());
        let all_know =
            living.all(|agent| !leased(&agent) || daemon.knowing.contains(&agent.number));
        if let Some(offered) = daemon.lease.offered()
            && (all_know || !stage.guards(Guard::AgentsFirst) || !stage.guards(Guard::Fence))
        {
            daemon.lease.take_over(offered);
            self.disk.span = daemon.lease.span();
        }
    }

    /// An agent looks whether its lease has ended.
    pub(in crate::sim) fn fence(&mut self, stage: &mut Stage, number: u64) {
        let agent = self.agents.iter().find(|agent| agent.number == number);
        let Some(agent) = agent.copied().filter(|agent| agent.exit.is_none()) else {
            return;
        };
        if self.is_over(stage, agent) {
            self.exit(stage, number, FENCED);
        } else {
            self.watch(stage, agent);
        }
    }

    /// Lets an agent look again when its lease may have ended.
    pub(super) fn watch(&self, stage: &mut Stage, agent: Agent) {
        let (machine, number) = (self.at, agent.number);
        if let Some(end) = agent.told.ends_at() {
            let due = if stage.guards(Guard::AgentsKnow) {
                self.clock.when(end)
            } else {
                stage.now + LOOK
            };
            let agent = number;
            stage.at(due, Event::Fence { machine, agent });
        }
    }

    /// Whether the process must end; by the daemon alone, if agents know nothing.
    fn is_over(&self, stage: &Stage, agent: Agent) -> bool {
        let now = self.clock.at(stage.now);
        if stage.guards(Guard::AgentsKnow) {
            return agent.told.is_over(now);
        }
        let daemon = self.daemon.as_ref();
        let awake = daemon.filter(|_| self.stalled_until <= stage.now);
        awake.is_some_and(|daemon| daemon.lease.is_over(now))
    }
}

fn is_leased(record: Option<&Record>) -> bool {
    record.is_some_and(|record| record.spec.on_node_loss == OnNodeLoss::Restart)
}

/// Over the link between daemon and agent.
fn tell(stage: &mut Stage, told: Event) {
    let luck = if stage.calm {
        0
    } else {
        stage.rng.within(0, 99)
    };
    match luck {
        0..70 => stage.after(1, 20, told),
        70..90 => stage.after(20, 1_500, told),
        _ => (),
    }
}
