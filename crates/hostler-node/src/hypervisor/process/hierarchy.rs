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
    /// Whether processor time can be limited.
    pub(super) cpu: bool,
    /// Whether memory can be limited.
    pub(super) memory: bool,
    /// Whether the number of processes can be limited.
    pub(super) pids: bool,
    /// Whether a whole group can be stopped or killed at one moment.
    pub(super) atomic: bool,
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
            let controllers: Vec<String> = match unified {
                true => Vec::new(),
                false => right.nth(1)?.split(',').map(str::to_owned).collect(),
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
        let ours = match controllers.is_empty() {
            true => names.is_empty(),
            false => names.split(',').any(|name| controllers.iter().any(|c| c == name)),
        };
        ours.then_some(path)
    })
}

/// The first parent below which everything works, or else the one with most.
/// Those beyond it are not touched.
fn best_trial(place: &Place, name: &str) -> Option<Hierarchy> {
    let worth = |one: &Hierarchy| [one.cpu, one.memory, one.pids].iter().filter(|x| **x).count();
    let mut best: Option<Hierarchy> = None;
    for found in place.parents.iter().filter_map(|at| trial(place, at, name).ok()) {
        if best.as_ref().is_none_or(|best| worth(&found) > worth(best)) {
            best = Some(found);
        }
        if best.as_ref().is_some_and(|best| worth(best) == 3) {
            break;
        }
    }
    let best = best.filter(|one| one.atomic || worth(one) > 0)?;
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
    let works = |file: &str, value: &str| {
        let file = group.join(file);
        file.exists() && fs::write(file, value).is_ok()
    };
    let has = |controller: &str| place.controllers.iter().any(|name| name == controller);
    let found = Hierarchy {
        base: base.clone(),
        unified: place.unified,
        cpu: works("cpu.max", "50000 100000") || works("cpu.cfs_quota_us", "50000"),
        memory: works("memory.max", "67108864") || works("memory.limit_in_bytes", "67108864"),
        pids: works("pids.max", "64"),
        atomic: works("cgroup.kill", "1") || (has("freezer") && works("freezer.state", "THAWED")),
    };
    fs::remove_dir(&group)?;
    if !existed {
        fs::remove_dir(&base)?;
    }
    Ok(found)
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
