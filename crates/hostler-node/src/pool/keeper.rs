//! The keeper of the pool.

use std::sync::Arc;
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::id::SlotId;
use hostler_core::pool::{PoolFacts, PoolPlan, PoolRules, plan};
use tokio::task::{JoinError, JoinSet};

use crate::slots::{NotReady, PoolOptions, Shared, boot, boot_begin, release};

/// Between failed boots: doubles from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// About as long as a deploy takes.
const REST: Duration = Duration::from_millis(25);

type Boots = JoinSet<Result<SlotId, NotReady>>;

/// Boots that failed since one last succeeded, and when the last one did.
#[derive(Default)]
struct Failures {
    in_a_row: u32,
    last: Option<Timestamp>,
}

/// Keeps the pool until no more slots are to be made.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let mut boots = Boots::new();
    let mut failures = Failures::default();
    while !shared.filling.is_cancelled() {
        let now = shared.table.now();
        let plan = plan(&facts(&shared, &failures), now);
        let pause = plan.wake_at.map(|at| at.since(now));
        carry_out(&shared, &mut boots, plan);
        tokio::select! {
            () = shared.wake.notified() => {}
            Some(booted) = boots.join_next() => note(&shared, &mut failures, booted),
            () = sleep(pause) => {}
            () = shared.filling.cancelled() => {}
        }
    }
    // Each ends by itself now, and removes what it had begun.
    while boots.join_next().await.is_some() {}
}

fn facts(shared: &Shared, failures: &Failures) -> PoolFacts {
    let (slots, claims) = shared.table.demand();
    PoolFacts {
        rules: rules(&shared.options.pool),
        slots,
        claims,
        failures: failures.in_a_row,
        last_failure: failures.last,
    }
}

fn rules(pool: &PoolOptions) -> PoolRules {
    PoolRules {
        min: pool.warm,
        // With none a claim would wait for ever.
        max: pool.warm_most.max(pool.warm).max(1),
        slots: pool.max,
        boots_at_once: pool.parallel.max(1),
        handshake_within: pool.boot,
        demand_window: pool.demand_window,
        rest: REST,
        retry_first: FIRST_PAUSE,
        retry_most: LONGEST_PAUSE,
    }
}

fn carry_out(shared: &Arc<Shared>, boots: &mut Boots, plan: PoolPlan) {
    for slot in plan.retire {
        if shared.table.retire(slot) {
            tracing::info!(%slot, "retiring a slot");
            shared.tasks.spawn(retire(Arc::clone(shared), slot));
        }
    }
    for _ in 0..plan.boot {
        // Entered here and not by the task, so that the next plan counts it.
        let (shared, slot) = (Arc::clone(shared), boot_begin(shared));
        boots.spawn(async move { boot(&shared, slot).await });
    }
}

async fn retire(shared: Arc<Shared>, slot: SlotId) {
    if let Err(error) = release(&shared, slot, Duration::ZERO).await {
        tracing::error!(%slot, %error, "could not end a slot of the pool");
    }
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

fn note(
    shared: &Shared,
    failures: &mut Failures,
    booted: Result<Result<SlotId, NotReady>, JoinError>,
) {
    let problem = match booted {
        Ok(Ok(slot)) => {
            tracing::debug!(%slot, "a slot is ready");
            *failures = Failures::default();
            return shared.problem_set(None);
        }
        Ok(Err(NotReady::Closing)) => return,
        Ok(Err(error)) => text(&error),
        Err(error) => error.to_string(),
    };
    failures.in_a_row = failures.in_a_row.saturating_add(1);
    failures.last = Some(shared.table.now());
    tracing::warn!(
        problem,
        in_a_row = failures.in_a_row,
        "a slot did not become ready"
    );
    shared.problem_set(Some(problem));
}

/// An error with its causes.
fn text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
