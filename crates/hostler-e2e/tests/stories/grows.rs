//! The loop closes: work for more than one node brings nodes, and they go when
//! it ends. Machines, the control plane and the supervisor are killed on the
//! way; never are more machines on their way than may be, no work runs twice,
//! and in the end nothing is left over.

use std::collections::BTreeSet;
use std::path::PathBuf;

use hostler_core::runner::RunnerStatus;
use hostler_core::workload::{Kind, WorkloadStatus};
use hostler_daemon::process::Signal;
use hostler_e2e::fleet::Fleet;
use hostler_e2e::machines::{Bounds, Machine, machines};
use hostler_e2e::witness::{Count, Witness};
use hostler_e2e::{eventually, processes, programs};
use hostler_wire::rest::{Node, Resources, RunnerQuery, Workload};

/// A fleet that grows to five nodes, two of them on their way at a time.
pub(crate) struct Growing {
    pub(crate) fleet: Fleet,
    witness: Witness,
    first: Node,
}

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
boots_at_once = 2
idle_for_s = 1
cool_down_s = 0
retry_first_s = 1
boot_within_s = 60
"#;

/// A machine that takes a while until its node starts.
const SLOW: &str = "#!/bin/sh\nsleep 0.5\nexec \"$HOSTLER\" \"$@\"\n";

impl Growing {
    pub(crate) async fn start() -> Self {
        let mut fleet = Fleet::new().expect("a folder");
        let program = slow(&fleet);
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
        let witness = Witness::start().await.expect("a witness");
        Self {
            fleet,
            witness,
            first,
        }
    }

    /// Work of which a node has room for one.
    pub(crate) async fn work(&self, name: &str) -> Workload {
        let program = programs::counter(self.fleet.folder()).expect("built");
        let bytes = std::fs::read(program).expect("read");
        let cpu_millis = self.first.capacity.cpu_millis * 3 / 5;
        let made = self.fleet.create(name, Kind::Elf, bytes, |body| {
            body.resources = Some(Resources {
                cpu_millis,
                memory_bytes: 64 << 20,
            });
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
        let nodes = client.nodes().await.expect("nodes");
        let node = nodes
            .into_iter()
            .find(|node| Some(node.id) == work.slave_id);
        let runner = node
            .expect("its node")
            .labels
            .remove("runner")
            .expect("a runner");
        let mut all = machines(&self.fleet).into_iter();
        all.find(|one| one.id() == runner).expect("its machine")
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
        let client = self.fleet.client().expect("a client");
        let query = RunnerQuery::default();
        let alone = eventually("the first node is alone", || async {
            let nodes = client.nodes().await.ok()?;
            let runners = client.runners(&query).await.ok()?;
            let is_first = nodes.len() == 1 && nodes[0].id == self.first.id;
            (is_first && runners.is_empty() && machines(&self.fleet).is_empty()).then_some(())
        });
        let told = || format!("{:?}\n{}", machines(&self.fleet), self.fleet.said());
        assert!(alone.await.is_ok(), "{}", told());
        let folder = self.fleet.data().join("control").join("machines");
        assert!(processes::below(&folder).is_empty(), "orphans");
        assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 0);
        let left: Vec<_> = groups.iter().filter(|group| group.exists()).collect();
        assert!(left.is_empty(), "{left:?}");
        let jobs = client.runner_jobs().await.expect("jobs");
        let open = jobs.iter().filter(|job| job.gone_count < job.instances);
        assert_eq!(open.count(), 0, "{jobs:?}");
    }
}

fn slow(fleet: &Fleet) -> PathBuf {
    let path = fleet.folder().join("machine");
    let hostler = programs::binary("hostler").expect("built");
    let text = SLOW.replace("$HOSTLER", hostler.to_str().expect("UTF-8"));
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
    let stays = story.work("stays").await;
    story.runs(&stays).await;
    let moves = story.work("moves").await;

    let on_its_way = eventually("a machine has started", || async {
        let mut all = machines(&story.fleet).into_iter();
        all.find(|one| one.process().is_some() && !one.has_joined())
    });
    let on_its_way = on_its_way.await.expect("a machine");
    on_its_way.kill();
    assert!(!on_its_way.has_joined(), "it was killed before it joined");
    let running = story.runs(&moves).await;
    let second = story.machine_of(&running).await;
    assert_ne!(second, on_its_way);
    story.is_counted("moves", ONCE).await;

    let groups = groups(std::slice::from_ref(&second));
    assert!(!groups.is_empty(), "its slots have control groups");
    second.kill();
    story.is_counted("moves", Count { starts: 2, ..ONCE }).await;
    let third = story.machine_of(&story.runs(&moves).await).await;
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
