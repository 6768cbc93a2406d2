//! The questions a fleet answers: which node, why, why not.

use std::collections::BTreeMap;

use super::fleet::Fleet;
use super::host::Room;
use super::reason::{Outcome, Verdict};
use super::refusal::Refusal;
use super::rules::Unit;
use super::score::Score;
use super::sight::Ask;
use crate::Resources;
use crate::id::NodeId;

impl Fleet {
    /// The node for a unit. It is not seated by this.
    pub fn place(&mut self, unit: &Unit) -> Result<NodeId, Refusal> {
        let plan = self.plan(unit);
        let best = self.best(unit, plan).map(Score::node);
        best.ok_or_else(|| self.refusal(unit, plan))
    }

    /// What becomes of every node when this unit is placed, and why: the
    /// chosen one first, then the possible ones from good to bad, then the
    /// refused ones by id. It looks at every node, for people to read.
    pub fn explain(&mut self, unit: &Unit) -> Vec<Verdict> {
        let plan = self.plan(unit);
        let sight = self.sight();
        let ask = Ask::new(unit, &self.plans[plan].shape);
        let mut scored: Vec<(Option<Score>, Verdict)> = Vec::with_capacity(self.yard.len());
        for (at, host) in self.yard.hosts() {
            let score = sight.score(ask, at);
            let (outcome, reasons) = match score {
                Some(_) => (Outcome::Possible, sight.standing(ask.shape, at, host)),
                None => (Outcome::Refused, sight.reasons(ask, at, host)),
            };
            let node = host.place.id;
            let verdict = Verdict {
                node,
                outcome,
                reasons,
            };
            scored.push((score, verdict));
        }
        scored.sort_by_key(|(score, verdict)| (verdict.outcome, *score, verdict.node));
        let mut verdicts: Vec<Verdict> = scored.into_iter().map(|(_, verdict)| verdict).collect();
        let possible = |verdict: &&mut Verdict| verdict.outcome == Outcome::Possible;
        if let Some(best) = verdicts.first_mut().filter(possible) {
            best.outcome = Outcome::Chosen;
        }
        verdicts
    }

    /// Why no node can take the unit. A fleet that is full is asked the same
    /// again and again, so the answer is kept while nothing changes.
    fn refusal(&mut self, unit: &Unit, plan: usize) -> Refusal {
        let Resources { cpu, memory } = unit.resources;
        let question = (plan, cpu, memory, unit.disk);
        let changes = self.yard.changes().end();
        if self.refused.0 != changes {
            self.refused = (changes, BTreeMap::new());
        }
        if let Some(refusal) = self.refused.1.get(&question) {
            return refusal.clone();
        }
        let refusal = self.refusal_new(unit, plan);
        self.refused.1.insert(question, refusal.clone());
        refusal
    }

    fn refusal_new(&self, unit: &Unit, plan: usize) -> Refusal {
        let sight = self.sight();
        let ask = Ask::new(unit, &self.plans[plan].shape);
        let mut refusal = Refusal::of(Room::of(unit));
        for (at, host) in self.yard.hosts() {
            if let Some(bar) = sight.bars(ask, at, host).next() {
                refusal.count(bar, host.free());
            }
        }
        refusal
    }
}
