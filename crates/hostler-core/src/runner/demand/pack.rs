//! First-fit decreasing: queued work goes into what there is, then into new
//! machines of the cheapest pool that suits and may have one.
//!
//! A pool that is at its `max`, closed or failing is passed over for the next
//! cheapest. One that only has as many booting as it may at once is waited for:
//! its machines come, and a dearer pool would be paid for nothing.

use super::bins::{Bin, Source};
use super::facts::{Obstacle, Queued};
use super::grow::Growth;
use super::kinds::{Kind, kinds, largest_first};
use super::why::Why;

impl<'a> Growth<'a> {
    /// Puts all queued work somewhere, or says why that cannot be.
    pub(super) fn pack(&mut self) {
        let facts = self.facts;
        let works = largest_first(&facts.queued, &facts.pools);
        let (mut kinds, kind_of) = kinds(&works, &facts.pools);
        for (work, kind) in works.into_iter().zip(kind_of) {
            if let Err(why) = self.place(work, &mut kinds[kind]) {
                self.unmet.push((work.workload, why));
            }
        }
        self.unmet.sort_by_key(|(workload, _)| *workload);
    }

    fn place(&mut self, work: &'a Queued, kind: &mut Kind) -> Result<(), Why> {
        if work.obstacle == Obstacle::Nearness {
            return Err(Why::Nearness);
        }
        for (pool, _) in &kind.pools {
            self.pools[*pool].is_wanted = true;
        }
        match self.supply_put(work, kind) {
            Some(Source::Idle) => Err(Why::NotByRoom),
            Some(_) => Ok(()),
            None if self.facts.now < work.since + self.facts.patience => Ok(()),
            None => self.buy_for(work, kind),
        }
    }

    /// The first bin with room, if there is one.
    fn supply_put(&mut self, work: &'a Queued, kind: &mut Kind) -> Option<Source> {
        for (pool, from) in &mut kind.pools {
            let bins = &mut self.pools[*pool].bins;
            let found = (*from..bins.len()).find(|at| bins[*at].put(work));
            *from = found.unwrap_or(bins.len());
            let source = found.map(|at| bins[at].source);
            if source == Some(Source::New) {
                self.pools[*pool].count(work);
            }
            if source.is_some() {
                return source;
            }
        }
        None
    }

    /// A machine of the cheapest pool that may have one. A pool that failed
    /// lately is given its trial, and the work goes on to the next pool.
    fn buy_for(&mut self, work: &'a Queued, kind: &Kind) -> Result<(), Why> {
        let needs = work.needs;
        let mut tried = false;
        for (at, _) in &kind.pools {
            let pool = &mut self.pools[*at];
            match pool.headroom.take() {
                Ok(()) => {
                    let source = pool.headroom.source();
                    pool.buy(work, Bin::of(source, &self.facts.pools[*at].terms));
                    if source == Source::New {
                        return Ok(());
                    }
                    tried = true;
                }
                Err(why) if why.is_short() => {
                    pool.held_back = Some(why);
                    return Ok(());
                }
                Err(why) => pool.held_back = Some(why),
            }
        }
        if tried {
            return Ok(());
        }
        Err(match kind.pools.len() {
            0 => Why::NoPool { needs },
            pools => Why::NoPoolNow { pools },
        })
    }
}
