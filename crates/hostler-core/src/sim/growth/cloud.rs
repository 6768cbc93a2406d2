//! The provider: what truly exists, and how calls to it go wrong. Machines are
//! told apart by their name, which is given with the call: making one that is
//! there makes no other. Its list shows them late, and shows those that are
//! gone for a while.

use super::super::Invariant;
use super::stage::{Note, Stage, wall};
use super::{Event, MINUTE, SECOND};
use crate::runner::sweep::Listed;
use crate::runner::{Mark, RunnerId};

/// A place in [`Cloud::instances`], which never shrinks.
pub(super) type InstanceNumber = usize;

/// The word that our machines carry.
pub(super) const OWNER: &str = "fleet-1";

/// The longest time that a new machine is missing from the list.
pub(super) const LAG: u64 = 20 * SECOND;

/// The longest time that a call takes, but for the rare ones that got stuck
/// on their way.
pub(super) const CALL: u64 = 10 * SECOND;

/// What is asked of the provider.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub(super) enum Call {
    /// Make a machine of a pool.
    Create {
        id: RunnerId,
        pool: usize,
        job: (crate::id::JobId, u32),
    },
    /// Give a machine back.
    Release(RunnerId),
}

/// What it says.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum Answer {
    /// Done, or done before.
    Done,
    /// There is no such machine to give now.
    NoCapacity,
    /// It failed, or nothing was heard.
    Unknown,
}

/// How a pool's machines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Temper {
    /// They boot within a minute.
    Sound,
    /// They boot within 20 minutes.
    Slow,
    /// They never join.
    Dead,
    /// There are none to give.
    Short,
    /// They join, and are silent again and again.
    Flapping,
}

/// A machine that exists, or did.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: RunnerId,
    /// None: somebody else's.
    pub(super) pool: Option<usize>,
    pub(super) owner: Option<String>,
    pub(super) mark: Option<Mark>,
    pub(super) created: u64,
    /// When it joins; `None`: never.
    pub(super) joins_at: Option<u64>,
    pub(super) joined: bool,
    /// It has no power: it does nothing, and is still paid for.
    pub(super) is_dead: bool,
    pub(super) is_ending: bool,
    pub(super) gone_at: Option<u64>,
    listed: (u64, u64),
}

impl Instance {
    /// Whether it exists.
    pub(super) const fn exists(&self) -> bool {
        self.gone_at.is_none()
    }
}

/// Everything that the provider has.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    pub(super) instances: Vec<Instance>,
    /// How each pool's machines are.
    pub(super) tempers: Vec<Temper>,
    /// Until when each pool has nothing to give.
    pub(super) short_until: Vec<u64>,
    /// Creations that took effect when their caller had long given them up.
    pub(super) strays: usize,
}

impl Cloud {
    /// The machine of this name that exists.
    pub(super) fn find(&self, id: &RunnerId) -> Option<InstanceNumber> {
        let is_it = |one: &Instance| one.exists() && one.id == *id;
        self.instances.iter().rposition(is_it)
    }

    /// What its list shows at a time.
    pub(super) fn list(&self, now: u64) -> Vec<Listed> {
        let shown = |one: &&Instance| one.listed.0 <= now && now < one.listed.1;
        let listed = |one: &Instance| Listed {
            id: one.id.clone(),
            owner: one.owner.clone(),
            mark: one.mark,
            is_terminating: one.is_ending || !one.exists(),
        };
        self.instances.iter().filter(shown).map(listed).collect()
    }

    /// Somebody else's machines, some with words that are nearly ours.
    pub(super) fn others(&mut self) {
        for (number, owner) in [Some("fleet-10"), Some("fleet"), None]
            .into_iter()
            .enumerate()
        {
            let id = RunnerId::of_uuid(uuid::Uuid::from_u128(number as u128 + 1));
            let job = crate::id::JobId::from_parts(1, [9; 10]);
            self.instances.push(Instance {
                id,
                pool: None,
                owner: owner.map(str::to_owned),
                mark: Some(mark(job, 0, 0)),
                created: 0,
                joins_at: None,
                joined: false,
                is_dead: false,
                is_ending: false,
                gone_at: None,
                listed: (0, u64::MAX),
            });
        }
    }

    /// A call takes effect.
    pub(super) fn take(&mut self, stage: &mut Stage, call: &Call) -> Answer {
        let answer = match call {
            Call::Create { id, pool, job } => self.create(stage, id, *pool, *job),
            Call::Release(id) => self.release(stage, id),
        };
        stage.note(Note::Called(call.clone(), answer));
        answer
    }

    fn create(
        &mut self,
        stage: &mut Stage,
        id: &RunnerId,
        pool: usize,
        job: (crate::id::JobId, u32),
    ) -> Answer {
        if self.find(id).is_some() {
            return Answer::Done;
        }
        let temper = self.tempers[pool];
        if temper == Temper::Short || stage.now < self.short_until[pool] {
            return Answer::NoCapacity;
        }
        let now = stage.now;
        let joins_at = joins(stage, temper).map(|span| now + span);
        let number = self.instances.len();
        if let Some(at) = joins_at {
            stage.at(at, Event::Boot(number));
        }
        let shown = now + stage.rng.within(0, LAG);
        self.instances.push(Instance {
            id: id.clone(),
            pool: Some(pool),
            owner: Some(OWNER.to_owned()),
            mark: Some(mark(job.0, job.1, now)),
            created: now,
            joins_at,
            joined: false,
            is_dead: false,
            is_ending: false,
            gone_at: None,
            listed: (shown, u64::MAX),
        });
        Answer::Done
    }

    fn release(&mut self, stage: &mut Stage, id: &RunnerId) -> Answer {
        let Some(number) = self.find(id) else {
            return Answer::Done;
        };
        if stage.trouble(25) {
            return Answer::Unknown;
        }
        let instance = &mut self.instances[number];
        if instance.pool.is_none() {
            let text = || format!("{id:?} of somebody else is given back");
            stage.violate(Invariant::NothingLeft, text);
        }
        if !instance.is_ending {
            instance.is_ending = true;
            stage.after(SECOND, 30 * SECOND, Event::Gone(number));
        }
        Answer::Done
    }

    /// A machine is gone; the list shows it for a while.
    pub(super) fn gone(&mut self, stage: &mut Stage, number: InstanceNumber) {
        let instance = &mut self.instances[number];
        if instance.exists() {
            instance.gone_at = Some(stage.now);
            instance.listed.1 = stage.now + stage.rng.within(0, LAG);
            let id = instance.id.clone();
            stage.note(Note::Gone(id));
        }
    }
}

fn mark(job: crate::id::JobId, index: u32, now: u64) -> Mark {
    Mark {
        job,
        index,
        requested_at: wall(now),
        deadline: wall(now),
    }
}

/// After how long a machine joins, if it does.
fn joins(stage: &mut Stage, temper: Temper) -> Option<u64> {
    if stage.trouble(6) {
        return None;
    }
    match temper {
        Temper::Sound | Temper::Flapping => Some(stage.rng.within(15 * SECOND, MINUTE)),
        Temper::Slow => Some(stage.rng.within(14 * MINUTE, 20 * MINUTE)),
        Temper::Dead | Temper::Short => None,
    }
}
