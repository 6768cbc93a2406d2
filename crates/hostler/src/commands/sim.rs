//! `hostler sim`: the simulations, on all cores. Each seed is the history of a
//! fleet and, besides, that of one that grows and shrinks, and of one with VMs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Result, bail};
use hostler_core::sim::growth::{self, GrowthOptions};
use hostler_core::sim::vms::{self, VmOptions};
use hostler_core::sim::{self, SimOptions, Violation};
use serde::Serialize;

use crate::args::SimArgs;
use crate::output::{self, Output};

#[derive(Serialize)]
struct Report {
    seeds: u64,
    steps: u64,
    seconds: f64,
    violations: Vec<String>,
}

/// Runs the seeds and fails when an invariant was violated.
pub(crate) fn sim(args: &SimArgs, output: Output) -> Result<()> {
    let started = Instant::now();
    let progress = output.progress(format!("Simulating {} fleets", args.seeds));
    let (steps, violations) = run_all(args);
    drop(progress);
    let report = Report {
        seeds: args.seeds,
        steps,
        seconds: started.elapsed().as_secs_f64(),
        violations: violations.iter().map(ToString::to_string).collect(),
    };
    output.show(&report, |report| {
        output::facts(&[
            ("fleets", report.seeds.to_string()),
            ("steps", report.steps.to_string()),
            ("seconds", format!("{:.1}", report.seconds)),
            ("violations", report.violations.len().to_string()),
        ])
    })?;
    match violations.first() {
        None => Ok(()),
        Some(first) => bail!("{first}"),
    }
}

/// Steps taken in all, and what was violated.
fn run_all(args: &SimArgs) -> (u64, Vec<Violation>) {
    let next = AtomicU64::new(args.first);
    let end = args.first.saturating_add(args.seeds);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let (mut steps, mut violations) = (0, Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return (steps, violations);
            }
            let fleet = sim::run(seed, &SimOptions::default());
            let growth = growth::run(seed, &GrowthOptions::default());
            let vms = vms::run(seed, &VmOptions::default());
            for outcome in [fleet, growth, vms] {
                steps += outcome.steps;
                violations.extend(outcome.violation);
            }
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let done = running.into_iter().filter_map(|thread| thread.join().ok());
        done.fold((0, Vec::new()), |(steps, mut all), (more, violations)| {
            all.extend(violations);
            (steps + more, all)
        })
    })
}
