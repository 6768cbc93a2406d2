//! Quotas: what a namespace's pods may ask for in all. Pods that are over do
//! not count.

use serde_json::Value;

use crate::catalog::{PODS, QUOTAS};
use crate::json::{pairs, text};
use crate::quantity::thousandths;
use crate::refusal::Refusal;
use crate::world::World;

/// Refuses a pod that one of its namespace's quotas has no room for.
pub(crate) fn check(world: &World, space: &str, pod: &Value) -> Result<(), Refusal> {
    for quota in world.store.list(&QUOTAS, space) {
        let short: Vec<Short> = pairs(quota.value(), "/spec/hard")
            .filter_map(|(what, hard)| short(world, space, pod, (what, hard)))
            .collect();
        if !short.is_empty() {
            let name = text(pod, "/metadata/name");
            return Err(Refusal::forbidden(&PODS, name, &why(quota.name(), &short)));
        }
    }
    Ok(())
}

struct Short {
    what: String,
    asked: String,
    used: String,
    hard: String,
}

fn why(quota: &str, short: &[Short]) -> String {
    let join = |value: fn(&Short) -> &String| {
        let each = short
            .iter()
            .map(|one| format!("{}={}", one.what, value(one)));
        each.collect::<Vec<_>>().join(",")
    };
    format!(
        "exceeded quota: {quota}, requested: {}, used: {}, limited: {}",
        join(|one| &one.asked),
        join(|one| &one.used),
        join(|one| &one.hard),
    )
}

fn short(world: &World, space: &str, pod: &Value, (what, hard): (&str, &str)) -> Option<Short> {
    let asked = amount(pod, what)?;
    let alive = world
        .store
        .list(&PODS, space)
        .filter(|one| !one.pod().is_over());
    let used: i64 = alive.filter_map(|one| amount(one.value(), what)).sum();
    (used + asked > thousandths(&Value::from(hard))).then(|| Short {
        what: what.to_owned(),
        asked: written(what, asked),
        used: written(what, used),
        hard: hard.to_owned(),
    })
}

/// What a pod takes of something that quotas may bound.
fn amount(pod: &Value, what: &str) -> Option<i64> {
    let containers = crate::json::list(pod, "/spec/containers").iter();
    let asked = |of: &'static str| {
        containers
            .map(|one| thousandths(&one["resources"]["requests"][of]))
            .sum()
    };
    match what {
        "pods" | "count/pods" => Some(1_000),
        "cpu" | "requests.cpu" => Some(asked("cpu")),
        "memory" | "requests.memory" => Some(asked("memory")),
        _ => None,
    }
}

fn written(what: &str, amount: i64) -> String {
    if what.ends_with("cpu") && amount % 1_000 != 0 {
        return format!("{amount}m");
    }
    let whole = amount / 1_000;
    let mebibyte = 1 << 20;
    if what.ends_with("memory") && whole > 0 && whole % mebibyte == 0 {
        return format!("{}Mi", whole / mebibyte);
    }
    whole.to_string()
}
