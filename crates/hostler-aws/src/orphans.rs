//! Instances of ours that no job knows of: a launch whose reply was lost after
//! its job had been given up, a release that was overtaken. And spare ones: a
//! second instance of a runner that has one. They cost money until somebody
//! looks.
//!
//! Ended is only what carries exactly this fleet's tag and a whole claim, in
//! two looks some time apart. A book that cannot be read knows nothing, and so
//! nothing is swept then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hostler_core::Timestamp;
use hostler_core::runner::RunnerId;
use hostler_core::runner::sweep::{Listed as Suspect, Suspects, sweep};
use hostler_runners::jobs::JobBook;
use hostler_runners::provider::Provider as _;
use tokio::sync::watch;

use crate::cloud::Instance;
use crate::groups::wants;
use crate::names::{Claim, tag};
use crate::provider::Aws;
use crate::seen::Listed;

/// What looks for them.
pub(crate) struct Orphans {
    pub(crate) aws: Arc<Aws>,
    pub(crate) book: Arc<dyn JobBook>,
    pub(crate) leads: watch::Receiver<bool>,
}

/// Spare instances, and since when each has been one.
type Spares = BTreeMap<String, Timestamp>;

impl Orphans {
    /// Looks until it is dropped.
    pub(crate) async fn run(self) {
        let (mut suspects, mut spares) = (Suspects::new(), Spares::new());
        loop {
            tokio::time::sleep(self.aws.settings.apart / 2).await;
            let has_problem = self.aws.world.snapshots().borrow().problem.is_some();
            if !*self.leads.borrow() || !self.aws.world.is_synced() || has_problem {
                continue;
            }
            let listed = self.aws.world.listed();
            self.end_spares(&listed, &mut spares).await;
            match self.known().await {
                Some(known) => self.sweep(&listed, &known, &mut suspects).await,
                None => suspects.clear(),
            }
        }
    }

    /// Runners that a job still answers for.
    async fn known(&self) -> Option<BTreeSet<RunnerId>> {
        let jobs = self.book.list().await;
        let jobs = jobs.inspect_err(|error| tracing::warn!(%error, "nothing is swept"));
        let items = jobs.ok()?.into_iter().flat_map(|job| job.items);
        let open = items.filter(|item| item.gone_at.is_none());
        Some(open.map(|item| item.id).collect())
    }

    async fn sweep(&self, listed: &Listed, known: &BTreeSet<RunnerId>, before: &mut Suspects) {
        let settings = &self.aws.settings;
        let all = suspects(listed, &settings.fleet);
        let now = (self.aws.world.clock)();
        let found = sweep(&all, &settings.fleet, known, (before, settings.apart), now);
        *before = found.suspects;
        for id in found.release {
            tracing::warn!(runner = %id, "no job knows of it; it is given back");
            if let Err(error) = self.aws.release(&id).await {
                tracing::warn!(runner = %id, %error, "an orphan could not be given back yet");
            }
        }
    }

    async fn end_spares(&self, listed: &Listed, before: &mut Spares) {
        let now = (self.aws.world.clock)();
        let found = spares(listed, &self.aws.settings.fleet);
        let since = |one: &Instance| before.get(&one.id).copied().unwrap_or(now);
        let suspected: Spares = found
            .iter()
            .map(|one| (one.id.clone(), since(one)))
            .collect();
        for one in found {
            let is_due = now >= suspected[&one.id] + self.aws.settings.apart;
            if is_due && before.contains_key(&one.id) {
                tracing::warn!(instance = one.id, "its runner has another; it is ended");
                if let Err(error) = self.aws.end(one).await {
                    tracing::warn!(%error, "a spare instance could not be ended yet");
                }
            }
        }
        *before = suspected;
    }
}

/// Every runner that has an instance, or waits for one.
fn suspects(listed: &Listed, fleet: &str) -> Vec<Suspect> {
    let living = listed.instances.values().filter(|one| one.state.lives());
    let of_instance = |one: &Instance| {
        Some(Suspect {
            id: one.tags.get(tag::RUNNER)?.parse().ok()?,
            owner: one.tags.get(tag::FLEET).cloned(),
            mark: Claim::of_tags(&one.tags).map(|claim| claim.mark),
            is_terminating: false,
        })
    };
    // Groups are listed only if they are ours.
    let of_want = |claim: Claim| Suspect {
        id: claim.runner,
        owner: Some(fleet.to_owned()),
        mark: Some(claim.mark),
        is_terminating: false,
    };
    let waiting = listed.groups.values().flat_map(wants).map(of_want);
    living.filter_map(of_instance).chain(waiting).collect()
}

/// Living instances of runners that have a better one.
fn spares(listed: &Listed, fleet: &str) -> Vec<Instance> {
    let ours = |one: &&Instance| one.tags.get(tag::FLEET).is_some_and(|owner| owner == fleet);
    let claimed = listed.instances.values().filter(ours);
    let ids: BTreeSet<RunnerId> = claimed
        .filter_map(|one| Some(Claim::of_tags(&one.tags)?.runner))
        .collect();
    let rest = |id: RunnerId| {
        let all: Vec<Instance> = listed.of_runner(&id).into_iter().cloned().collect();
        all.into_iter().skip(1).filter(|one| one.state.lives())
    };
    ids.into_iter().flat_map(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::State;
    use crate::seen::fixtures::instance;

    fn listed(instances: &[Instance]) -> Listed {
        Listed {
            instances: instances
                .iter()
                .map(|one| (one.id.clone(), one.clone()))
                .collect(),
            ..Listed::default()
        }
    }

    #[track_caller]
    fn check(instances: &[Instance], expected: &[&str]) {
        let found = spares(&listed(instances), "f");
        let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn the_eldest_of_two_stays() {
        let mut young = instance("i-1", "a", 0);
        young.launched = Timestamp::from_ms(9_000);
        check(&[young.clone()], &[]);
        check(&[young.clone(), instance("i-2", "a", 0)], &["i-1"]);
        check(&[young.clone(), instance("i-2", "b", 0)], &[]);
        let mut dead = instance("i-2", "a", 0);
        dead.state = State::Ended;
        check(&[young, dead], &[]);
    }

    #[test]
    fn of_somebody_else_none_is_spare() {
        let others = ["i-1", "i-2"].map(|id| {
            let mut one = instance(id, "a", 0);
            one.tags.insert(tag::FLEET.to_owned(), "other".to_owned());
            one
        });
        check(&others, &[]);
    }

    #[test]
    fn suspected_is_what_lives() {
        let mut dead = instance("i-2", "b", 0);
        dead.state = State::Ending;
        let found = suspects(&listed(&[instance("i-1", "a", 0), dead]), "f");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id.as_str(), "a");
    }
}
