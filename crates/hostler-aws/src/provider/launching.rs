//! Launches from a template.
//!
//! ```text
//!  candidate 1 ──no capacity──▶ candidate 2 ── … ──no capacity──▶ no capacity in the pool
//!      │ no answer                                    (the manager asks its fallback)
//!      └──▶ the same again, under the same token
//! ```

use std::time::{Duration, Instant};

use hostler_runners::provider::{Order, ProviderError};

use super::Aws;
use crate::cloud::{CloudError, Instance};
use crate::launch::{Candidate, Launch, candidates, spot, token, user_data};
use crate::names::Claim;
use crate::settings::{PoolSettings, Template};

/// How long candidates are gone through before the caller is answered.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many instances of one runner may have ended unseen.
const GENERATIONS: u32 = 8;

/// The pool an order is launched from.
type From<'a> = (&'a Template, &'a PoolSettings);

impl Aws {
    pub(super) async fn launch(
        &self,
        order: &Order,
        from: From<'_>,
        generation: u32,
    ) -> Result<(), ProviderError> {
        let began = Instant::now();
        let all = candidates(&order.pool, from.1);
        let mut refused = ProviderError::NoCapacity("no candidate was left".to_owned());
        let rest = all.iter().enumerate().skip(self.cursor(&order.id));
        for (at, candidate) in rest {
            self.set_cursor(&order.id, Some(at));
            if began.elapsed() > PATIENCE {
                return Err(later(&refused));
            }
            match self
                .launch_one(order, (from.0, candidate), generation)
                .await
            {
                Err(error) if error.is_capacity() => refused = error.provider(),
                done => return self.settle(order, done),
            }
        }
        self.set_cursor(&order.id, None);
        Err(refused)
    }

    /// Where nobody knows what became of it, the same is asked for next.
    fn settle(
        &self,
        order: &Order,
        done: Result<Instance, CloudError>,
    ) -> Result<(), ProviderError> {
        match done {
            Ok(instance) => {
                self.set_cursor(&order.id, None);
                self.world.answer(instance);
                Ok(())
            }
            Err(error) => {
                let error = error.provider();
                if !error.is_transient() {
                    self.set_cursor(&order.id, None);
                }
                Err(error)
            }
        }
    }

    /// An instance of this token that has ended makes room for the next.
    async fn launch_one(
        &self,
        order: &Order,
        what: (&Template, &Candidate),
        from: u32,
    ) -> Result<Instance, CloudError> {
        let mut generation = from;
        loop {
            let claim = Claim::of_order(order, generation);
            let answer = self.cloud.launch(&self.plan(order, what, &claim)?).await;
            let is_spent = match &answer {
                Ok(instance) => !instance.state.lives(),
                Err(error) => error.is_spent(),
            };
            if !is_spent || generation >= from + GENERATIONS {
                return answer;
            }
            generation += 1;
        }
    }

    pub(crate) fn plan(
        &self,
        order: &Order,
        (template, candidate): (&Template, &Candidate),
        claim: &Claim,
    ) -> Result<Launch, CloudError> {
        let settings = &self.settings;
        let user_data = user_data(&settings.machine, claim, &order.pool.selector);
        let user_data = user_data.map_err(|error| CloudError::Refused {
            code: "UserData".to_owned(),
            text: error.to_string(),
            status: 400,
        })?;
        Ok(Launch {
            template: template.clone(),
            instance_type: candidate.instance_type.clone(),
            place: candidate.place.clone(),
            spot: spot(&order.pool),
            user_data,
            tags: claim.tags(&settings.fleet),
            token: token(&settings.fleet, claim, candidate),
        })
    }
}

/// To be gone on with at once, by another call.
fn later(so_far: &ProviderError) -> ProviderError {
    ProviderError::Throttled {
        retry_after: Some(Duration::ZERO),
        text: so_far.to_string(),
    }
}
