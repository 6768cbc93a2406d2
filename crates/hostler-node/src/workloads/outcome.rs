//! What comes of a step, taken over into the course of the work.

use hostler_core::id::SlotId;
use hostler_core::workload::Exit;
use hostler_wire::agent::{AgentPhase, AgentState};
use std::time::Duration;
use tokio::time::Instant;

use super::StartError;
use super::course::Contact;
use super::steps::{Outcome, Started};
use super::task::Task;
use crate::artifacts::{ArtifactError, Held};
use crate::ledger::Record;
use crate::report::report;
use crate::slots::{ClaimError, DeployError, ReleaseError, SlotState};
use crate::triggers::ListenError;

impl Task {
    pub(super) async fn finish(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Waited => {}
            Outcome::Probed(state, started) => self.probed(*state, started).await,
            Outcome::Fetched(result) => self.fetched(result).await,
            Outcome::Claimed(result) => self.claimed(result).await,
            Outcome::Deployed(result) => self.deployed(result).await,
            Outcome::Released(result) => self.released(result).await,
        }
    }

    async fn probed(&mut self, state: SlotState, started: Option<Started>) {
        let now = Instant::now();
        match (state, started) {
            (SlotState::Gone, _) => {
                self.speaker_drop();
                self.course.lost(now, "it was gone when the node started");
                self.write_down().await;
            }
            (SlotState::Unreachable, _) => {
                self.course.probe_again(now, "its agent does not answer");
            }
            (SlotState::Idle, _) => self.course.contact = Contact::Claimed,
            (SlotState::Deployed(_), Some(started)) => self.runs(started).await,
            (SlotState::Deployed(agent), None) => self.probed_ended(agent).await,
        }
    }

    /// It ended, or was being started, while the daemon was away.
    async fn probed_ended(&mut self, agent: AgentState) {
        match agent.state {
            AgentPhase::Exited => {
                self.started = true;
                let exit = Exit {
                    code: agent.code.unwrap_or(-1),
                    ran: Duration::from_millis(agent.uptime_ms),
                };
                self.exited(exit).await;
            }
            // The same request again gets the same answer.
            AgentPhase::Idle | AgentPhase::Starting | AgentPhase::Running => {
                self.course.contact = Contact::Claimed;
            }
        }
    }

    async fn fetched(&mut self, result: Result<Held, ArtifactError>) {
        match result {
            Ok(held) => {
                self.artifact = Some(held);
                self.course.ready = true;
            }
            Err(error) if error.is_transient() => {
                let problem = format!("could not fetch its artifact: {}", report(&error));
                tracing::warn!(workload = %self.course.work.id, problem, "trying again later");
                self.course.retry(Instant::now(), problem);
            }
            Err(error) => {
                let problem = format!("could not fetch its artifact: {}", report(&error));
                self.give_up(problem).await;
            }
        }
    }

    async fn claimed(&mut self, result: Result<SlotId, ClaimError>) {
        self.course.claiming = false;
        let slot = match result {
            Ok(slot) => slot,
            Err(error) => {
                let problem = report(&error).to_string();
                self.course.retry(Instant::now(), problem);
                self.first_failed(error.into());
                self.settle().await;
                return;
            }
        };
        self.course.claimed(slot);
        let used = self.first.as_ref().map(|first| Record::DeployUsed {
            mark: first.mark.clone(),
        });
        // Before anything is sent to the slot.
        if let Err(error) = self.append(used.into_iter().collect()).await {
            let problem = report(&error).to_string();
            self.course.retry(Instant::now(), problem);
            self.first_failed(error.into());
            return;
        }
        self.speaker_set(slot);
    }

    async fn deployed(&mut self, result: Result<Started, StartError>) {
        match result {
            Ok(started) => self.runs(started).await,
            Err(error) => self.start_failed(error).await,
        }
        if let Some(exit) = self.early_exit.take() {
            self.exited(exit).await;
        }
    }

    async fn runs(&mut self, started: Started) {
        match started.listening {
            Ok(listening) => self.listening = listening,
            Err(error) => {
                self.started = true;
                self.start_failed(error).await;
                return;
            }
        }
        self.computed = started.computed;
        self.since = Some(started.since);
        self.started = true;
        self.course.runs();
        if let (Some(first), Some(slot)) = (self.first.take(), self.course.work.slot) {
            first.answer.send(Ok(slot)).ok();
        }
    }

    async fn start_failed(&mut self, error: StartError) {
        let problem = report(&error).to_string();
        let id = self.course.work.id;
        if matches!(error, StartError::Deploy(DeployError::Artifact { .. })) {
            self.artifact = None;
            self.course.ready = false;
        }
        let refused = matches!(
            error,
            StartError::Deploy(DeployError::Rejected(_))
                | StartError::Listen(ListenError::Subject(_))
                | StartError::Environment(_)
        );
        if self.first.is_some() {
            self.course.contact = Contact::Spent;
            self.first_failed(error);
            self.settle().await;
        } else if refused {
            self.early_exit = None;
            self.give_up(problem).await;
        } else {
            tracing::warn!(workload = %id, problem, "could not start a workload; trying again later");
            self.course.retry(Instant::now(), problem);
        }
    }

    /// It will not run, whatever is tried.
    async fn give_up(&mut self, problem: String) {
        tracing::warn!(workload = %self.course.work.id, problem, "gave a workload up");
        self.course.failed(problem);
        if self.course.is_local() {
            self.course.dropped(self.course.work.generation);
        }
        self.settle().await;
    }

    async fn released(&mut self, result: Result<(), ReleaseError>) {
        match result {
            Ok(()) => {
                self.tell_released();
                self.speaker_drop();
                self.course.released();
                self.settle().await;
            }
            Err(error) => {
                let problem = report(&error).to_string();
                tracing::error!(workload = %self.course.work.id, problem, "could not end a slot");
                self.stops_failed(&problem);
                self.course.release_failed(Instant::now(), problem);
            }
        }
    }
}
