//! From what somebody asks for to a workload that can be written down. Every
//! rule about a single request is here; rules about other things (whether the
//! name is free, the artifact there) are not.

pub(super) mod fields;
pub mod limits;

use std::collections::BTreeMap;
use std::fmt;

use hostler_core::placement::Rules;
use hostler_core::workload::{Goal, Kind, OnNodeLoss};
use hostler_core::{Labels, Name, Resources};

use super::mistake::{Collector, Mistakes};
use crate::nats::TriggerSubject;
use crate::rest::WorkloadCreate;

/// A workload to be made, in core's terms, each field good by itself and
/// together with the others.
#[derive(Clone, PartialEq, Eq)]
pub struct NewWorkload {
    /// Its name.
    pub name: Name,
    /// Its project.
    pub project: Name,
    /// What kind of artifact it is.
    pub kind: Kind,
    /// SHA-256 of its artifact, in lower-case hex.
    pub artifact: String,
    /// Arguments after the program's name; none for a function.
    pub argv: Vec<String>,
    /// Its whole environment, in clear.
    pub environment: BTreeMap<String, String>,
    /// Subjects that trigger it; some for a function, none for a service.
    pub triggers: Vec<TriggerSubject>,
    /// Whether it is started again when it fails; never a function.
    pub essential: bool,
    /// What it needs.
    pub resources: Resources,
    /// How many processes it may have.
    pub pids: u32,
    /// Keys and values for others to select by.
    pub labels: Labels,
    /// Where it may run.
    pub rules: Rules,
    /// What to do when its node is lost.
    pub on_node_loss: OnNodeLoss,
    /// Running or stopped.
    pub goal: Goal,
    /// Text for people.
    pub description: String,
}

impl fmt::Debug for NewWorkload {
    /// Without the environment's values, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWorkload")
            .field("project", &self.project)
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("artifact", &self.artifact)
            .field("environment", &self.environment.keys())
            .finish_non_exhaustive()
    }
}

impl TryFrom<WorkloadCreate> for NewWorkload {
    type Error = Mistakes;

    fn try_from(wire: WorkloadCreate) -> Result<Self, Mistakes> {
        let mut look = Collector::default();
        let name = fields::name(&mut look, "name", &wire.name);
        let project = wire.project.as_deref().unwrap_or(limits::DEFAULT_PROJECT);
        let project = fields::name(&mut look, "project", project);
        let triggers = fields::triggers(&mut look, wire.kind, &wire.triggers);
        let resources = wire.resources.map_or(limits::DEFAULT_RESOURCES, Into::into);
        let pids = wire.pids.unwrap_or(limits::DEFAULT_PIDS);
        let goal = wire.goal.unwrap_or(Goal::Running);
        fields::digest(&mut look, &wire.artifact);
        fields::argv(&mut look, wire.kind, &wire.argv);
        fields::environment(&mut look, wire.kind, &wire.environment);
        fields::essential(&mut look, wire.kind, wire.essential);
        fields::amounts(&mut look, resources, pids);
        fields::labels(&mut look, "labels", &wire.labels);
        fields::rules(&mut look, &wire.placement);
        fields::goal(&mut look, goal);
        fields::description(&mut look, &wire.description);
        let (name, project) = look.finish(name.zip(project))?;
        Ok(Self {
            name,
            project,
            kind: wire.kind,
            artifact: wire.artifact,
            argv: wire.argv,
            environment: wire.environment,
            triggers,
            essential: wire.essential,
            resources,
            pids,
            labels: wire.labels,
            rules: wire.placement.into(),
            on_node_loss: wire.on_node_loss,
            goal,
            description: wire.description,
        })
    }
}

#[cfg(test)]
mod tests;
