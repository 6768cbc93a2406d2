//! How many units of each kind are where.
//!
//! Units of one project with the same labels are one *kind*. A *census* is
//! what a rule counts: the units of a project that carry some labels, by
//! domain of a topology. Seating a unit touches its kind and the censuses that
//! count it, and nothing else.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

use super::index::Counts;
use super::rules::{Rules, carries};
use super::yard::Yard;
use crate::{Labels, Name};

/// Units of one project with the same labels.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    /// The plan for each set of rules that units of this kind came with.
    pub(super) plans: BTreeMap<Rules, usize>,
    project: usize,
    labels: Arc<Labels>,
    censuses: Vec<usize>,
    on: Counts,
}

/// The units a rule means, counted by domain.
#[derive(Clone, Debug)]
pub(super) struct Census {
    pub(super) labels: Arc<Labels>,
    pub(super) topology: usize,
    /// All of them, those in no domain included.
    pub(super) total: u32,
    pub(super) counts: Counts,
}

/// The kinds and censuses of one project. Each census is filed under the hash
/// of one pair of its labels and each kind under those of all of them, so that
/// few have to be compared to find which counts which.
#[derive(Clone, Debug)]
struct Project {
    name: Name,
    kinds: Vec<usize>,
    kinds_with: BTreeMap<u64, Vec<usize>>,
    censuses: BTreeMap<Arc<Labels>, Vec<usize>>,
    censuses_with: BTreeMap<Option<u64>, Vec<usize>>,
}

/// All counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    numbers: BTreeMap<Name, usize>,
    projects: Vec<Project>,
    kinds: Vec<Kind>,
    /// Kinds by the hash of project and labels, which is found sooner than
    /// the labels themselves.
    hashes: BTreeMap<u64, Vec<usize>>,
    censuses: Vec<Census>,
}

fn hash(words: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(words)
}

impl Tally {
    pub(super) fn kind(&self, kind: usize) -> &Kind {
        &self.kinds[kind]
    }

    pub(super) fn census(&self, census: usize) -> &Census {
        &self.censuses[census]
    }

    /// How much is kept here, used or not.
    pub(super) fn len(&self) -> usize {
        self.kinds.len() + self.censuses.len()
    }

    /// Remembers the plan for a kind's rules.
    pub(super) fn plan_keep(&mut self, kind: usize, rules: Rules, plan: usize) {
        self.kinds[kind].plans.insert(rules, plan);
    }

    /// Forgets every plan.
    pub(super) fn plans_forget(&mut self) {
        for kind in &mut self.kinds {
            kind.plans.clear();
        }
    }

    /// The kind of units with these labels.
    pub(super) fn kind_of(&mut self, project: &Name, labels: &Labels) -> usize {
        let hash = hash((project, labels));
        let same = |at: &&usize| {
            let kind = &self.kinds[**at];
            *kind.labels == *labels && self.projects[kind.project].name == *project
        };
        let known = self
            .hashes
            .get(&hash)
            .and_then(|kinds| kinds.iter().find(same));
        known
            .copied()
            .unwrap_or_else(|| self.kind_new(project, labels, hash))
    }

    /// The kind here of what is `kind` in `old`.
    pub(super) fn kind_from(&mut self, old: &Self, kind: usize) -> usize {
        let kind = old.kind(kind);
        self.kind_of(&old.projects[kind.project].name, &kind.labels)
    }

    fn project_of(&mut self, name: &Name) -> usize {
        if let Some(project) = self.numbers.get(name) {
            return *project;
        }
        self.numbers.insert(name.clone(), self.projects.len());
        self.projects.push(Project {
            name: name.clone(),
            kinds: Vec::new(),
            kinds_with: BTreeMap::new(),
            censuses: BTreeMap::new(),
            censuses_with: BTreeMap::new(),
        });
        self.projects.len() - 1
    }

    fn kind_new(&mut self, project: &Name, labels: &Labels, found: u64) -> usize {
        let at = self.kinds.len();
        let project = self.project_of(project);
        self.hashes.entry(found).or_default().push(at);
        let labels = Arc::new(labels.clone());
        let known = &mut self.projects[project];
        known.kinds.push(at);
        let mut censuses = known.censuses_with.get(&None).cloned().unwrap_or_default();
        for pair in labels.iter().map(hash) {
            known.kinds_with.entry(pair).or_default().push(at);
            let filed = known.censuses_with.get(&Some(pair)).into_iter().flatten();
            censuses
                .extend(filed.filter(|census| carries(&labels, &self.censuses[**census].labels)));
        }
        self.kinds.push(Kind {
            plans: BTreeMap::new(),
            project,
            labels,
            censuses,
            on: Counts::default(),
        });
        at
    }

    /// The census of the project's units that carry `labels`, by domain of
    /// `topology`.
    pub(super) fn census_of(
        &mut self,
        project: &Name,
        labels: &Labels,
        topology: usize,
        yard: &Yard,
    ) -> usize {
        let project = self.project_of(project);
        let same = self.projects[project].censuses.get(labels);
        let mut same = same.into_iter().flatten();
        let known = same.find(|census| self.censuses[**census].topology == topology);
        known
            .copied()
            .unwrap_or_else(|| self.census_new(project, labels, topology, yard))
    }

    fn census_new(
        &mut self,
        project: usize,
        labels: &Labels,
        topology: usize,
        yard: &Yard,
    ) -> usize {
        let at = self.censuses.len();
        let labels = Arc::new(labels.clone());
        let known = &mut self.projects[project];
        known
            .censuses
            .entry(Arc::clone(&labels))
            .or_default()
            .push(at);
        let file = labels.iter().next().map(hash);
        known.censuses_with.entry(file).or_default().push(at);
        let kinds: Vec<usize> = match file {
            None => known.kinds.clone(),
            Some(pair) => known.kinds_with.get(&pair).cloned().unwrap_or_default(),
        };
        self.censuses.push(Census {
            labels,
            topology,
            total: 0,
            counts: Counts::default(),
        });
        for kind in kinds {
            self.census_take(at, kind, yard);
        }
        at
    }

    /// Counts what is seated of a kind already, if the census counts it.
    fn census_take(&mut self, at: usize, kind: usize, yard: &Yard) {
        let census = &mut self.censuses[at];
        let kind = &mut self.kinds[kind];
        if !carries(&kind.labels, &census.labels) {
            return;
        }
        kind.censuses.push(at);
        for (host, number) in kind.on.iter() {
            census.total += number;
            if let Some(domain) = yard.domain(host, census.topology) {
                census.counts.add(domain, number);
            }
        }
    }

    /// Counts one unit of a kind on a node.
    pub(super) fn add(&mut self, kind: usize, host: usize, yard: &mut Yard) {
        let kind = &mut self.kinds[kind];
        kind.on.add(host, 1);
        for census in &kind.censuses {
            let census = &mut self.censuses[*census];
            census.total += 1;
            if let Some(domain) = yard.domain(host, census.topology) {
                census.counts.add(domain, 1);
                yard.note_domain(census.topology, domain);
            }
        }
    }

    /// Counts one unit of a kind on a node no longer.
    pub(super) fn subtract(&mut self, kind: usize, host: usize, yard: &mut Yard) {
        let kind = &mut self.kinds[kind];
        kind.on.one_less(host);
        for census in &kind.censuses {
            let census = &mut self.censuses[*census];
            census.total = census.total.saturating_sub(1);
            if let Some(domain) = yard.domain(host, census.topology) {
                census.counts.one_less(domain);
                yard.note_domain(census.topology, domain);
            }
        }
    }
}
