//! Which control group hierarchies this machine offers us, of version 2, of
//! version 1, or of both side by side.
//!
//! A hierarchy counts only after a trial: a group was made where the slots'
//! groups would be, limits were written to it, and it was removed again.
//! Version 2 refuses to limit below a group that holds processes, so beside
//! our own group its parents are tried.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One hierarchy, and what works in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    /// The folder that holds one group for each slot.
    pub(super) base: PathBuf,
    /// Whether it is of version 2.
    pub(super) unified: bool,
    /// What its groups can do here.
    pub(super) powers: Vec<Power>,
}

/// What a group can do to its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Limit processor time.
    Cpu,
    /// Limit memory.
    Memory,
    /// Limit the number of processes.
    Pids,
    /// Stop or kill all of them at one moment.
    Kill,
}

impl Hierarchy {
    /// Whether its groups can do this.
    pub(super) fn has(&self, power: Power) -> bool {
        self.powers.contains(&power)
    }

    fn limits(&self) -> usize {
        self.powers
            .iter()
            .filter(|power| **power != Power::Kill)
            .count()
    }
}

/// Where a hierarchy could hold our groups, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    controllers: Vec<String>,
    unified: bool,
    parents: Vec<PathBuf>,
}

/// Every hierarchy in which groups below a folder called `name` work here.
pub(super) fn hierarchies(name: &str) -> Vec<Hierarchy> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let places = places(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
    places
        .iter()
        .filter_map(|place| best_trial(place, name))
        .collect()
}

/// The places named by the two files of `/proc`. A mount shows the part of
/// its hierarchy below the mount's own root.
fn places(mounts: &str, own: &str) -> Vec<Place> {
    mounts
        .lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let mut left = left.split(' ').skip(3);
            let (root, mount) = (left.next()?, Path::new(left.next()?));
            let mut right = right.split(' ');
            let unified = match right.next()? {
                "cgroup2" => true,
                "cgroup" => false,
                _ => return None,
            };
            let controllers: Vec<String> = if unified {
                Vec::new()
            } else {
                right.nth(1)?.split(',').map(str::to_owned).collect()
            };
            let path = own_path(own, &controllers)?;
            let below = Path::new(path).strip_prefix(root).ok()?;
            let nearest = mount.join(below);
            let parents = nearest.ancestors().take_while(|at| at.starts_with(mount));
            let tries = if unified { usize::MAX } else { 1 };
            Some(Place {
                controllers,
                unified,
                parents: parents.take(tries).map(Path::to_path_buf).collect(),
            })
        })
        .collect()
}

/// Our own group in the hierarchy with these controllers; none is version 2.
fn own_path<'a>(own: &'a str, controllers: &[String]) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, path) = (fields.next()?, fields.next()?);
        let ours = |name| controllers.iter().any(|controller| controller == name);
        let unified = controllers.is_empty() && names.is_empty();
        (unified || names.split(',').any(ours)).then_some(path)
    })
}

/// The first parent below which everything works, or else the one with most.
/// Those beyond it are not touched.
fn best_trial(place: &Place, name: &str) -> Option<Hierarchy> {
    let mut best: Option<Hierarchy> = None;
    for found in place
        .parents
        .iter()
        .filter_map(|at| trial(place, at, name).ok())
    {
        if best
            .as_ref()
            .is_none_or(|best| found.limits() > best.limits())
        {
            best = Some(found);
        }
        if best.as_ref().is_some_and(|best| best.limits() == 3) {
            break;
        }
    }
    let best = best.filter(|one| !one.powers.is_empty())?;
    fs::create_dir_all(&best.base).ok()?;
    Some(best)
}

fn trial(place: &Place, parent: &Path, name: &str) -> io::Result<Hierarchy> {
    let base = parent.join(name);
    let existed = base.exists();
    fs::create_dir_all(&base)?;
    if place.unified {
        for at in [parent, &base] {
            for controller in ["+cpu", "+memory", "+pids"] {
                // What cannot be had here is found missing below.
                let _ = fs::write(at.join("cgroup.subtree_control"), controller);
            }
        }
    }
    let group = base.join(format!("trial-{}", std::process::id()));
    fs::create_dir_all(&group)?;
    let powers = powers(&group);
    fs::remove_dir(&group)?;
    if !existed {
        fs::remove_dir(&base)?;
    }
    Ok(Hierarchy {
        base,
        unified: place.unified,
        powers,
    })
}

/// What can be written to an empty group's files, in either version.
fn powers(group: &Path) -> Vec<Power> {
    let files = [
        (Power::Cpu, "cpu.max", "50000 100000"),
        (Power::Cpu, "cpu.cfs_quota_us", "50000"),
        (Power::Memory, "memory.max", "67108864"),
        (Power::Memory, "memory.limit_in_bytes", "67108864"),
        (Power::Pids, "pids.max", "64"),
        (Power::Kill, "cgroup.kill", "1"),
        (Power::Kill, "freezer.state", "THAWED"),
    ];
    let works = |(power, file, value): (Power, &str, &str)| {
        let file = group.join(file);
        (file.exists() && fs::write(file, value).is_ok()).then_some(power)
    };
    files.into_iter().filter_map(works).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE_BY_SIDE: &str = "\
30 24 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
31 24 0:27 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory
32 24 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
33 24 0:29 / /proc rw - proc proc rw";
    const OWN: &str = "4:memory:/jail/9c6\n1:cpu,cpuacct:/\n0::/user.slice/a.scope";

    fn check(mounts: &str, own: &str, expected: &[&[&str]]) {
        let found = places(mounts, own);
        let found: Vec<Vec<&str>> = found
            .iter()
            .map(|place| place.parents.iter().filter_map(|at| at.to_str()).collect())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn our_own_group_is_the_place_and_in_version_2_its_parents_too() {
        check(
            SIDE_BY_SIDE,
            OWN,
            &[
                &["/sys/fs/cgroup/cpu/"],
                &["/sys/fs/cgroup/memory/jail/9c6"],
                &[
                    "/sys/fs/cgroup/unified/user.slice/a.scope",
                    "/sys/fs/cgroup/unified/user.slice",
                    "/sys/fs/cgroup/unified",
                ],
            ],
        );
    }

    #[test]
    fn a_mount_of_a_part_shows_only_that_part() {
        let mount = "31 24 0:27 /jail /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        check(mount, OWN, &[&["/sys/fs/cgroup/memory/9c6"]]);
        let elsewhere = "31 24 0:27 /other /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        check(elsewhere, OWN, &[]);
    }
}
