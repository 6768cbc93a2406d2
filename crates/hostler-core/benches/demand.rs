//! How long one decision of the closed loop takes, on one core: so many queued
//! requests, of different sizes, labels and rules, and ten pools that already
//! have machines in every state of their lives. The figure is that of the
//! fastest of many decisions, which was disturbed the least, and the median
//! stands beside it. One JSON object a line on standard output.
//!
//! With the program's arguments only scenarios are run whose names contain all
//! of them: `cargo bench -p hostler-core --bench demand -- mixed 1000`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hostler_core::id::WorkloadId;
use hostler_core::runner::RunnerPool;
use hostler_core::runner::demand::{
    DemandFacts, Failures, Life, Machine, Obstacle, PoolFacts, Queued, Terms, plan,
};
use hostler_core::{Labels, Resources, Timestamp};

const POOLS: u64 = 10;
const SIZES: [u64; 3] = [100, 1_000, 10_000];
const ROUNDS: usize = 101;
const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);

/// What the queued requests are.
#[derive(Clone, Copy)]
enum Case {
    /// All alike.
    Alike,
    /// No two alike: sizes, labels and groups that keep apart.
    Mixed,
    /// For none of which there is a pool.
    Hopeless,
}

const CASES: [(&str, Case); 3] = [
    ("alike", Case::Alike),
    ("mixed", Case::Mixed),
    ("hopeless", Case::Hopeless),
];

fn zone(number: u64) -> Labels {
    Labels::from([("zone".to_owned(), format!("zone-{}", number % 3))])
}

fn machine(pool: u64, number: u64) -> Result<Machine, Box<dyn std::error::Error>> {
    let life = match number % 5 {
        0 => Life::Booting,
        1 => Life::Idle(Timestamp::from_ms(0)),
        2 => Life::Draining { empty: true },
        3 => Life::Failed,
        _ => Life::Busy,
    };
    Ok(Machine {
        id: format!("node-placeholder-{pool}-{number}").parse()?,
        life,
        asked_at: Timestamp::from_ms(NOW.ms() - 60_000),
        joined_at: None,
    })
}

fn pool(number: u64) -> Result<PoolFacts, Box<dyn std::error::Error>> {
    let mut pool = RunnerPool::named(format!("pool-{number}").parse()?);
    pool.selector = zone(number);
    pool.shape = Resources::of(4_000 + 2_000 * number, 8_192 + 4_096 * number);
    pool.price_micros = 100 + 70 * number;
    pool.boots_at_once = 1_000;
    pool.bounds.max = 2_000;
    let machines: Result<Vec<Machine>, _> = (0..100).map(|at| machine(number, at)).collect();
    Ok(PoolFacts {
        terms: Terms::of(&pool, NOW),
        machines: machines?,
        failures: Failures {
            rounds: 0,
            last: Some(NOW),
        },
        scaled_at: None,
    })
}

fn queued(case: Case, number: u64) -> Queued {
    let mut queued = Queued {
        workload: WorkloadId::from_parts(number, [0; 10]),
        needs: Resources::of(500, 512),
        labels: Labels::new(),
        apart: None,
        obstacle: Obstacle::NoPlace,
        since: Timestamp::from_ms(0),
    };
    match case {
        Case::Alike => (),
        Case::Mixed => {
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            queued.needs = Resources::of(100 + mixed % 7_919, 64 + mixed % 8_191);
            queued.labels = if number.is_multiple_of(2) {
                zone(number)
            } else {
                Labels::new()
            };
            queued.apart = number
                .is_multiple_of(3)
                .then(|| format!("app-{}", number % 50));
        }
        Case::Hopeless => queued.needs = Resources::of(1_000_000 + number, 1),
    }
    queued
}

fn run(name: &str, facts: &DemandFacts) {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(plan(black_box(facts)));
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    let ms = |at: usize| took[at].as_secs_f64() * 1_000.0;
    let (fastest, median) = (ms(0), ms(ROUNDS / 2));
    println!(
        "{{\"name\":\"{name}\",\"value\":{fastest:.3},\"unit\":\"ms\",\"median\":{median:.3}}}"
    );
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    for (title, case) in CASES {
        for size in SIZES {
            let name = format!("demand/{title}/{size}");
            if !wanted.iter().all(|part| name.contains(part.as_str())) {
                continue;
            }
            let pools: Result<Vec<PoolFacts>, _> = (0..POOLS).map(pool).collect();
            let facts = DemandFacts {
                queued: (0..size).map(|number| queued(case, number)).collect(),
                pools: pools?,
                patience: Duration::from_secs(5),
                now: NOW,
            };
            run(&name, &facts);
        }
    }
    Ok(())
}
