//! Who used the processors: the shares that explain a limit.

use std::fs;
use std::time::Duration;

use crate::figures::figure;

/// Processor time of the parts of a bench so far.
pub(crate) struct Used(Vec<(&'static str, Duration)>);

impl Used {
    /// Of the control plane with this pid, of the database, and of the clients,
    /// which are threads of this process.
    pub(crate) fn now(control: Option<u32>) -> Self {
        let ourselves = std::process::id();
        let of_pid = |wanted: Option<u32>| sum(|pid, _| Some(pid) == wanted);
        Self(vec![
            ("control plane", of_pid(control)),
            ("PostgreSQL", sum(|_, name| name == "postgres")),
            ("clients and node doubles", of_pid(Some(ourselves))),
        ])
    }

    /// Says what each part used since then for each of `count`.
    pub(crate) fn tell(&self, since: &Self, (group, name, count): (&str, &str, usize)) {
        for ((part, now), (_, then)) in self.0.iter().zip(&since.0) {
            let used = now.saturating_sub(*then);
            if !used.is_zero() {
                let each = used.as_secs_f64() * 1e6 / count as f64;
                let text = format!("{name}: processor time each, {part}");
                figure(group, &text, (each, "µs"), None);
            }
        }
    }
}

/// Of all processes that are wanted, by pid and name.
fn sum(is_wanted: impl Fn(u32, &str) -> bool) -> Duration {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let wanted = pids.filter(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        is_wanted(*pid, name.trim())
    });
    wanted.map(of_threads).sum()
}

/// Of all living threads of a process: the first number of `schedstat`, in
/// nanoseconds.
fn of_threads(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let nanos = threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
    Duration::from_nanos(nanos.sum())
}
