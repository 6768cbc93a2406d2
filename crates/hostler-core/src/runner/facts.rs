//! What a provider sees of one runner. Written by providers only, and only
//! from what was really answered: an answer that did not come changes nothing.

use std::collections::BTreeMap;

use super::{PoolName, Reason, RunnerId};
use crate::Timestamp;
use crate::id::JobId;

/// What became of the request for a machine (a placeholder pod, an instance).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Request {
    /// No machine yet.
    #[default]
    Waiting,
    /// On a machine.
    Placed,
    /// Ended by the provider; there will be no machine.
    Failed,
}

/// Why a runner is there: what its request was labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The job that asked for it.
    pub job: JobId,
    /// Which of that job's runners it is, from zero.
    pub index: u32,
    /// When the job was asked for.
    pub requested_at: Timestamp,
    /// When a request that still waits is given up.
    pub deadline: Timestamp,
}

/// The machine a runner is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// What the provider calls it (the node's name).
    pub name: String,
    /// Its internal addresses, the primary one first.
    pub internal_ips: Vec<String>,
    /// Whether it works; `None` when the provider may not look.
    pub is_ready: Option<bool>,
    /// Whether it is still there; `None` when the provider may not look.
    pub exists: Option<bool>,
    /// Whether it takes no further runners.
    pub is_cordoned: bool,
}

/// The program that makes the machine a runner (the runner pod).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// What it is called (the runner pod's name); `None` when there is none.
    pub name: Option<String>,
    /// Whether its process runs.
    pub is_running: bool,
    /// Whether it says that it works.
    pub is_ready: bool,
    /// Since when it fails again and again (image pull, crash loop).
    pub failing_since: Option<Timestamp>,
}

/// One runner, as its provider sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerFacts {
    /// Its id.
    pub id: RunnerId,
    /// When its request was made.
    pub created: Timestamp,
    /// Whose it is; `None` for one that was made by hand.
    pub mark: Option<Mark>,
    /// The pool its machine is asked from.
    pub pool: PoolName,
    /// What became of its request.
    pub request: Request,
    /// Its machine, once it is on one.
    pub machine: Option<Machine>,
    /// The program on its machine.
    pub program: Program,
    /// What is said about it, the latest first.
    pub reasons: Vec<Reason>,
    /// Whether its request is being ended.
    pub is_terminating: bool,
    /// What else the provider knows (an instance's id, its zone): shown as it is.
    pub extra: BTreeMap<String, String>,
}

impl RunnerFacts {
    /// A request that was made at `created` and of which nothing is known yet.
    pub fn waiting(id: RunnerId, pool: PoolName, mark: Option<Mark>, created: Timestamp) -> Self {
        Self {
            id,
            created,
            mark,
            pool,
            request: Request::Waiting,
            machine: None,
            program: Program::default(),
            reasons: Vec::new(),
            is_terminating: false,
            extra: BTreeMap::new(),
        }
    }

    /// Whether its machine was lost under it.
    pub fn is_lost(&self) -> bool {
        let gone = |machine: &Machine| machine.exists == Some(false);
        self.request == Request::Placed && self.machine.as_ref().is_some_and(gone)
    }
}
