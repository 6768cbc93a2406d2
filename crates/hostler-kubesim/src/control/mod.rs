//! The parts behind the API. Each looks at the whole scene and takes its next
//! step; none keeps what it could read again, but for [`Memory`].

pub(crate) mod autoscaler;
mod daemon_sets;
mod evictions;
pub(crate) mod facts;
mod kubelet;
pub(crate) mod machines;
mod namespaces;
mod nodes;
mod pod_gc;
mod scene;
pub(crate) mod scheduler;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::fault::Broken;
use crate::world::World;
use machines::Machine;
use scene::Scene;

type Moment = DateTime<Utc>;

/// What cannot be read from the objects.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Names of events by what they say, so that repeats are counted.
    pub(crate) said: BTreeMap<String, String>,
    pub(crate) machines: BTreeMap<String, Machine>,
    /// Machines ever made; names and addresses follow from it.
    pub(crate) made: u32,
    pub(crate) scanned: Option<Moment>,
    pub(crate) unneeded: BTreeMap<String, Moment>,
    /// Pools that had no machines, and until when they are left alone.
    pub(crate) backed_off: BTreeMap<String, Moment>,
    /// Nodes that pods name and that are not there.
    pub(crate) missing: BTreeMap<String, Moment>,
    /// When a pod was last told why it cannot be placed.
    pub(crate) told: BTreeMap<(String, String), Moment>,
    /// Pods of a label that do not run well.
    pub(crate) broken: Vec<(String, Broken)>,
}

/// One step of every part.
pub(crate) fn turn(world: &mut World) {
    let scene = Scene::read(world);
    machines::turn(world);
    nodes::turn(world, &scene);
    namespaces::turn(world);
    daemon_sets::turn(world, &scene);
    scheduler::turn(world, &scene);
    kubelet::turn(world, &scene);
    evictions::turn(world, &scene);
    pod_gc::turn(world, &scene);
    autoscaler::turn(world, &scene);
}
