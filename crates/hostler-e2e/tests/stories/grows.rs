//! The loop closes: work for more than one node brings nodes, and they go when
//! it ends. Machines, the control plane and the supervisor are killed on the
//! way; never are more machines on their way than may be, no work runs twice,
//! and in the end nothing is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hostler_core::runner::RunnerStatus;
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_daemon::process::Signal;
use hostler_e2e::fleet::Fleet;
use hostler_e2e::machines::{Bounds, Machine, machines};
use hostler_e2e::witness::{Count, Witness};
use hostler_e2e::{eventually, processes, programs};
use hostler_wire::rest::{Node, NodeUpdate, Resources, RunnerQuery, Workload};

/// A fleet that grows to five nodes, two of them on their way at a time.
pub(crate) struct Growing {
    pub(crate) fleet: Fleet,
    witness: Witness,
    first: Node,
    gate: PathBuf,
}

/// A label of machines, and one of the first node: work of which a story says
/// where it runs demands it, since a node that is held up takes none for a while.
const MACHINE: (&str, &str) = ("is", "machine");
const FIRST: (&str, &str) = ("is", "first");

/// Nodes are given up after four of these, and this machine may be busy.
const HEARTBEAT_MS: u64 = 2_000;

pub(crate) const ONCE: Count = Count {
    starts: 1,
    alive: 1,
    most: 1,
};

const POOL: &str = r#"
[growth]
patience_s = 0
[[pool]]
name = "default"
selector = { is = "machine" }
boots_at_once = 2
idle_for_s = 1
cool_down_s = 0
retry_first_s = 1
boot_within_s = 60
"#;

/// A machine that takes a while until its node starts, and longer while its
/// gate is shut.
const SLOW: &str = "#!/bin/sh\nsleep 0.5\nwhile [ -e \"$GATE\" ]; do sleep 0.1; done\n\
    exec \"$HOSTLER\" \"$@\"\n";

impl Growing {
    pub(crate) async fn start() -> Self {
        let mut fleet = Fleet::new().expect("a folder");
        fleet.heartbeat_ms(HEARTBEAT_MS);
        let gate = fleet.folder().join("gate");
        let program = slow(&fleet, &gate);
        let file = fleet.folder().join("runners.toml");
        let text = format!("{POOL}[local]\nprogram = '{}'\n", program.display());
        std::fs::write(&file, text).expect("written");
        let file = file.to_str().expect("UTF-8");
        fleet.flags(&[
            "--grow-to",
            "5",
            "--boot-delay",
            "200ms",
            "--runners-file",
            file,
        ]);
        fleet.start().await.expect("a fleet");
        let client = fleet.client().expect("a client");
        let first = client.nodes().await.expect("nodes").remove(0);
        let labels = NodeUpdate {
            labels: Some(labels(FIRST)),
            ..NodeUpdate::default()
        };
        let labelled = client.node_update(first.id, &labels).await;
        labelled.expect("a label");
        let witness = Witness::start().await.expect("a witness");
        Self {
            fleet,
            witness,
            first,
            gate,
        }
    }

    /// Work of which a node has room for one.
    pub(crate) async fn work(&self, name: &str) -> Workload {
        self.work_on(name, None).await
    }

    /// The same, on a node with this label.
    async fn work_on(&self, name: &str, label: Option<(&str, &str)>) -> Workload {
        let program = programs::counter(self.fleet.folder()).expect("built");
        let bytes = std::fs::read(program).expect("read");
        let cpu_millis = self.first.capacity.cpu_millis * 3 / 5;
        let made = self.fleet.create(name, Kind::Elf, bytes, |body| {
            body.resources = Some(Resources {
                cpu_millis,
                memory_bytes: 64 << 20,
            });
            body.placement.node_labels = label.map(labels).unwrap_or_default();
            let variables = [
                ("WITNESS_PORT", self.witness.port().to_string()),
                ("WITNESS_NAME", name.to_owned()),
            ];
            let variables = variables.map(|(key, value)| (key.to_owned(), value));
            body.environment.extend(variables);
        });
        made.await.expect("created")
    }

    pub(crate) async fn runs(&self, work: &Workload) -> Workload {
        let running = self.fleet.wait_for(work, WorkloadStatus::Running).await;
        running.unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The machine on which this runs.
    pub(crate) async fn machine_of(&self, work: &Workload) -> Machine {
        let client = self.fleet.client().expect("a client");
        let found = eventually("a machine runs it", || async {
            let now = client.workload(work.id).await.ok()?;
            let runs = now.status == WorkloadStatus::Running;
            let nodes = client.nodes().await.ok()?.into_iter();
            let mut its = nodes.filter(|node| runs && Some(node.id) == now.slave_id);
            let runner = its.next()?.labels.remove("runner")?;
            let mut all = machines(&self.fleet).into_iter();
            all.find(|one| one.id() == runner)
        });
        found.await.unwrap_or_else(|error| panic!("{error:#}"))
    }

    pub(crate) async fn is_counted(&self, name: &str, expected: Count) {
        let what = format!("{name} is counted");
        let counted = eventually(&what, || async {
            (self.witness.count(name) == expected).then_some(())
        });
        let told = || format!("{:?}\n{}", self.witness.count(name), self.fleet.said());
        assert!(counted.await.is_ok(), "{name}: {}", told());
    }

    pub(crate) async fn ends(&self, names: &[&str]) {
        for name in names {
            self.fleet.say(&["rm", name]).await.expect("removed");
        }
    }

    /// The first node is alone again; nothing of any machine is left.
    pub(crate) async fn is_alone(&self, groups: &[PathBuf]) {
        let alone = eventually("the first node is alone", || async {
            let left = self.left(groups).await?;
            left.is_empty().then_some(())
        });
        if alone.await.is_err() {
            let left = self.left(groups).await;
            panic!("{left:?}\n{}", self.fleet.said());
        }
    }

    /// What there is besides the first node, a line each. A machine goes step by
    /// step, and its job is told last.
    async fn left(&self, groups: &[PathBuf]) -> Option<Vec<String>> {
        let client = self.fleet.client().expect("a client");
        let nodes = client.nodes().await.ok()?.into_iter();
        let nodes = nodes.filter(|node| node.id != self.first.id);
        let runners = client.runners(&RunnerQuery::default()).await.ok()?;
        let jobs = client.runner_jobs().await.ok()?.into_iter();
        let jobs = jobs.filter(|job| job.gone_count < job.instances);
        let folder = self.fleet.data().join("control").join("machines");
        let folders = std::fs::read_dir(&folder).ok()?.flatten();
        let groups = groups.iter().filter(|group| group.exists());
        let mut left: Vec<String> = nodes.map(|node| format!("{node:?}")).collect();
        left.extend(runners.iter().map(|runner| format!("{runner:?}")));
        left.extend(jobs.map(|job| format!("{job:?}")));
        left.extend(folders.map(|folder| format!("{folder:?}")));
        let processes = processes::below(&folder).into_iter();
        left.extend(processes.map(|process| format!("{process:?}")));
        left.extend(groups.map(|group| group.display().to_string()));
        Some(left)
    }
}

fn labels((key, value): (&str, &str)) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

fn slow(fleet: &Fleet, gate: &Path) -> PathBuf {
    let path = fleet.folder().join("machine");
    let hostler = programs::binary("hostler").expect("built");
    let text = SLOW.replace("$HOSTLER", hostler.to_str().expect("UTF-8"));
    let text = text.replace("$GATE", gate.to_str().expect("UTF-8"));
    std::fs::write(&path, text).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("executable");
    path
}

/// The groups of machines, and the folders that hold them.
pub(crate) fn groups(all: &[Machine]) -> Vec<PathBuf> {
    let slots = all.iter().flat_map(Machine::groups);
    let both = slots.flat_map(|group| [group.parent().map(PathBuf::from), Some(group)]);
    both.flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_for_five_nodes_brings_four_more_and_they_go_after_it() {
    let story = Growing::start().await;
    let bounds = Bounds::watch(&story.fleet);
    let names = ["one", "two", "three", "four", "five"];
    let mut works = Vec::new();
    for name in names {
        works.push(story.work(name).await);
    }
    for goal in [1, 3] {
        let there = eventually("machines come", || async {
            (machines(&story.fleet).len() >= goal).then_some(())
        });
        there.await.expect("machines");
        story
            .fleet
            .part("control")
            .expect("it runs")
            .signal(Signal::KILL);
    }
    let mut seats = BTreeSet::new();
    for work in &works {
        seats.insert(story.runs(work).await.slave_id);
        story.is_counted(&work.name, ONCE).await;
    }
    assert_eq!(seats.len(), 5);
    let client = story.fleet.client().expect("a client");
    let linked = eventually("each machine is a ready runner and a node", || async {
        let runners = client.runners(&RunnerQuery::default()).await.ok()?;
        let ready = runners
            .iter()
            .filter(|one| one.status == RunnerStatus::Ready);
        let ready: BTreeSet<_> = ready.map(|one| one.id.to_string()).collect();
        let nodes = client.nodes().await.ok()?;
        let linked = nodes
            .iter()
            .filter_map(|node| node.labels.get("runner").cloned());
        let linked: BTreeSet<_> = linked.collect();
        (ready.len() == 4 && ready == linked).then_some(())
    });
    linked.await.expect("linked");

    let groups = groups(&machines(&story.fleet));
    story.ends(&names).await;
    story.is_alone(&groups).await;
    let (most, booting) = bounds.seen();
    assert!(
        most == 4 && booting <= 2,
        "{most} machines, {booting} on their way"
    );
    for name in names {
        story.is_counted(name, Count { alive: 0, ..ONCE }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_dies_on_its_way_or_at_work_is_replaced_and_work_runs_once() {
    let story = Growing::start().await;
    let bounds = Bounds::watch(&story.fleet);
    let stays = story.work_on("stays", Some(FIRST)).await;
    story.runs(&stays).await;
    std::fs::write(&story.gate, "").expect("shut");
    let moves = story.work_on("moves", Some(MACHINE)).await;

    let on_its_way = eventually("a machine has started", || async {
        let mut all = machines(&story.fleet).into_iter();
        all.find(|one| one.process().is_some() && !one.has_joined())
    });
    let on_its_way = on_its_way.await.expect("a machine");
    on_its_way.kill();
    assert!(!on_its_way.has_joined(), "it was killed before it joined");
    std::fs::remove_file(&story.gate).expect("open");
    let second = story.machine_of(&moves).await;
    assert_ne!(second, on_its_way);
    story.is_counted("moves", ONCE).await;

    let groups = groups(std::slice::from_ref(&second));
    assert!(!groups.is_empty(), "its slots have control groups");
    second.kill();
    story.is_counted("moves", Count { starts: 2, ..ONCE }).await;
    let third = story.machine_of(&moves).await;
    assert_ne!(third, second);

    story.ends(&["stays", "moves"]).await;
    story.is_alone(&groups).await;
    let (most, booting) = bounds.seen();
    assert!(
        most <= 4 && booting <= 2,
        "{most} machines, {booting} on their way"
    );
    story.is_counted("stays", Count { alive: 0, ..ONCE }).await;
}
