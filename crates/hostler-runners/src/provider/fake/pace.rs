//! Makes things happen by themselves in the fake world: a machine after a
//! while, its program after another.

use std::time::Duration;

use hostler_core::runner::{Request, RunnerFacts};
use tokio_util::sync::CancellationToken;

use super::Fake;

/// How fast the fake world is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the request to the machine.
    pub machine_after: Duration,
    /// From the machine to its working program.
    pub program_after: Duration,
}

const LOOK: Duration = Duration::from_millis(50);

impl Fake {
    /// Lets things happen at this pace until `stop`.
    pub async fn live(self, pace: Pace, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.advance(pace);
            let _ = stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
    }

    fn advance(&self, pace: Pace) {
        let now = self.now();
        let age = |facts: &RunnerFacts| now.since(facts.created);
        self.change(|world| {
            let all: Vec<RunnerFacts> = world.runners.values().cloned().collect();
            for facts in all {
                let waits = facts.request == Request::Waiting && facts.reasons.is_empty();
                if waits && age(&facts) >= pace.machine_after {
                    let name = facts.id.as_str().replace("placeholder-", "");
                    world.place(&facts.id, &name);
                }
                let up = facts.request == Request::Placed && facts.program.name.is_none();
                if up && age(&facts) >= pace.machine_after + pace.program_after {
                    world.run(&facts.id);
                }
            }
        });
    }
}
