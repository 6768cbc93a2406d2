//! Workloads: lists, goals, erasing, reasons.

use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::workload::{Goal, SeatView, SeenState, Step, next_step};
use hostler_store::{Backend, ChangeOutcome, SeenEntry, WorkloadFilter, WorkloadRow};
use sea_orm::ConnectionTrait;

use super::world::{BY, NOW, World, generation, name};

fn names(rows: &[WorkloadRow]) -> Vec<&str> {
    rows.iter().map(|row| row.spec.name.as_str()).collect()
}

pub(crate) async fn lists_go_page_by_page(world: &World) {
    for text in ["a", "b", "c", "d", "e", "f"] {
        world.workload(text).await;
    }
    let mut paged = Vec::new();
    while paged.len() < 6 {
        let after = paged.last().map(|row: &WorkloadRow| row.facts.id);
        let page = list(world, WorkloadFilter::default(), after).await;
        assert!(!page.is_empty(), "only {} were listed", paged.len());
        paged.extend(page);
    }
    assert!(paged.is_sorted_by_key(|row| row.facts.id));
    let mut listed = names(&paged);
    listed.sort_unstable();
    assert_eq!(listed, ["a", "b", "c", "d", "e", "f"]);
}

async fn list(
    world: &World,
    filter: WorkloadFilter,
    after: Option<WorkloadId>,
) -> Vec<WorkloadRow> {
    let page = world.store.workload_list(&filter, after, 4).await;
    page.unwrap()
}

pub(crate) async fn lists_narrow_by_every_filter(world: &World) {
    let node = world.node("n1", 8).await;
    world.workload("other").await;
    let seated = world.seated("seated", node).await;
    let check = async |narrow: fn(&mut WorkloadFilter, NodeId), expected: &[&str]| {
        let mut filter = WorkloadFilter::default();
        narrow(&mut filter, node);
        assert_eq!(names(&list(world, filter, None).await), expected);
    };
    check(|filter, _| filter.name = Some(name("other")), &["other"]).await;
    check(|filter, node| filter.node = Some(node), &["seated"]).await;
    check(|filter, _| filter.project = Some(name("theirs")), &[]).await;
    check(|filter, _| filter.goal = Some(Goal::Stopped), &[]).await;
    let here = world.store.workload_on_node(&[node]).await.unwrap();
    assert_eq!(here, std::slice::from_ref(&seated));
    let nobody = WorkloadId::from_parts(1, [1; 10]);
    let ids = [nobody, seated.facts.id, seated.facts.id];
    assert_eq!(world.store.workload_many(&ids).await.unwrap(), here);
}

pub(crate) async fn only_a_change_of_goal_raises_the_generation(world: &World) {
    let id = world.workload("echo").await.facts.id;
    let check = async |goal, number| {
        let row = world
            .store
            .workload_goal_set(&BY, id, goal)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.facts.generation, generation(number), "{goal:?}");
        assert_eq!(world.row(&row).await, row);
    };
    check(Goal::Running, 1).await;
    check(Goal::Stopped, 2).await;
    check(Goal::Stopped, 2).await;
    check(Goal::Running, 3).await;
    let nobody = WorkloadId::from_parts(1, [1; 10]);
    assert_eq!(
        world
            .store
            .workload_goal_set(&BY, nobody, Goal::Gone)
            .await
            .unwrap(),
        None
    );
    let told = ["workload.created", "workload.goal", "workload.goal"];
    assert_eq!(world.told(id).await, told);
}

pub(crate) async fn gone_is_final_and_leaves_a_tombstone(world: &World) {
    let store = &world.store;
    let node = world.node("n1", 1).await;
    let id = world.seated("echo", node).await.facts.id;
    let erase = async |number| {
        store
            .workload_erase(&BY, id, generation(number), None)
            .await
            .unwrap()
    };
    assert_eq!(erase(2).await, ChangeOutcome::Stale, "it is wanted");
    store.workload_goal_set(&BY, id, Goal::Gone).await.unwrap();
    let row = store
        .workload_goal_set(&BY, id, Goal::Running)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.facts.goal, row.facts.generation),
        (Goal::Gone, generation(3))
    );
    assert_eq!(erase(3).await, ChangeOutcome::Stale, "it has a seat");
    let unseat = super::seats::unseat(id, 3, node);
    assert_eq!(
        store.workload_unseat(&BY, unseat, None).await.unwrap(),
        ChangeOutcome::Changed
    );
    assert_eq!(erase(3).await, ChangeOutcome::Stale, "it has changed");
    assert_eq!(erase(4).await, ChangeOutcome::Changed);
    assert_eq!(erase(4).await, ChangeOutcome::Stale, "it is gone");

    let marks = store.tombstones(&[id]).await.unwrap();
    assert_eq!((marks[0].generation, marks[0].at), (generation(4), NOW));
    assert_eq!(store.workload_get(id).await.unwrap(), None);
    world.workload("echo").await;
    assert_eq!(store.tombstone_sweep(NOW).await.unwrap(), 0);
    let later = NOW + std::time::Duration::from_millis(1);
    store.tombstone_needed(later, &[id]).await.unwrap();
    store.tombstone_needed(NOW, &[id]).await.unwrap();
    assert_eq!(
        store.tombstone_sweep(later).await.unwrap(),
        0,
        "a node still needs it"
    );
    let latest = later + std::time::Duration::from_millis(1);
    assert_eq!(store.tombstone_sweep(latest).await.unwrap(), 1);
    assert_eq!(store.tombstones(&[id]).await.unwrap(), []);
}

pub(crate) async fn the_unsettled_are_those_with_something_to_do(world: &World) {
    every_kind(world).await;
    let all = WorkloadFilter::default();
    let mut expected = world.store.workload_list(&all, None, 100).await.unwrap();
    let view = SeatView {
        reachable: true,
        lost: false,
        draining: false,
    };
    expected.retain(|row| next_step(&row.facts, Some(view)) != Step::Nothing);
    let found = world.store.workload_unsettled(None, 100).await.unwrap();
    assert_eq!(names(&found), names(&expected));
    assert_eq!(found.len(), 8);
    let after = Some(found[1].facts.id);
    let rest = world.store.workload_unsettled(after, 3).await.unwrap();
    assert_eq!(rest, found[2..5]);
    finds_them_by_their_index(world).await;
}

/// Each goal with each sight of it, seated and not.
async fn every_kind(world: &World) {
    let node = world.node("n1", 16).await;
    let want = async |row: WorkloadRow, goal| {
        let set = world.store.workload_goal_set(&BY, row.facts.id, goal).await;
        set.unwrap().unwrap();
    };
    for state in [
        SeenState::Absent,
        SeenState::Starting,
        SeenState::Running,
        SeenState::Stopping,
        SeenState::Ended,
        SeenState::Failed,
        SeenState::Fenced,
    ] {
        let row = world.seated(&format!("{state:?}"), node).await;
        say(world, node, &row, state).await;
    }
    world.workload("queued").await;
    world.seated("unheard", node).await;
    let outdated = world.seated("outdated", node).await;
    say(world, node, &outdated, SeenState::Running).await;
    want(outdated.clone(), Goal::Stopped).await;
    want(outdated, Goal::Running).await;
    want(world.workload("stopped").await, Goal::Stopped).await;
    want(world.seated("unwanted", node).await, Goal::Stopped).await;
    want(world.seated("vanishing", node).await, Goal::Gone).await;
    want(world.workload("gone").await, Goal::Gone).await;
}

/// The query and the partial index must keep the same words.
async fn finds_them_by_their_index(world: &World) {
    if world.store.backend() != Backend::Sqlite {
        return;
    }
    let db = sea_orm::Database::connect(&world.url).await.unwrap();
    let index = "SELECT sql FROM sqlite_master WHERE name = 'workload_unsettled'";
    let statement = |sql: String| sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let index = db
        .query_one_raw(statement(index.to_owned()))
        .await
        .unwrap()
        .unwrap();
    let index: String = index.try_get_by_index(0).unwrap();
    let condition = index.split_once("WHERE").unwrap().1;
    let plan = format!(
        "EXPLAIN QUERY PLAN SELECT * FROM workload WHERE ({condition}) ORDER BY id LIMIT 9"
    );
    let plan = db.query_one_raw(statement(plan)).await.unwrap().unwrap();
    let plan: String = plan.try_get("", "detail").unwrap();
    assert!(plan.contains("workload_unsettled"), "{plan}");
}

async fn say(world: &World, node: NodeId, row: &WorkloadRow, state: SeenState) {
    let entry = SeenEntry {
        id: row.facts.id,
        generation: row.facts.generation,
        state,
        slot: None,
        restarts: 0,
        problem: None,
    };
    world
        .store
        .workload_seen(NOW, node, &[entry], None)
        .await
        .unwrap();
}

pub(crate) async fn a_reason_is_kept_and_told_once(world: &World) {
    let row = world.workload("echo").await;
    let id = row.facts.id;
    for reason in ["no node has room", "no node has room", "no node is online"] {
        world
            .store
            .workload_reason_set(&BY, id, Some(reason))
            .await
            .unwrap();
        assert_eq!(world.row(&row).await.reason.as_deref(), Some(reason));
    }
    assert_eq!(
        world.told(id).await,
        ["workload.created", "workload.queued"]
    );
    let node = world.node("n1", 1).await;
    world
        .store
        .workload_seat(&BY, super::world::seat(&row, node), None)
        .await
        .unwrap();
    assert_eq!(world.row(&row).await.reason, None);
}

pub(crate) async fn a_generation_is_raised_over_what_a_node_was_told(world: &World) {
    let id = world.workload("echo").await.facts.id;
    let check = async |expected, to, outcome| {
        let step = (generation(expected), generation(to));
        assert_eq!(
            world
                .store
                .workload_raise(&BY, id, step, None)
                .await
                .unwrap(),
            outcome
        );
    };
    check(2, 9, ChangeOutcome::Stale).await;
    check(1, 1, ChangeOutcome::Stale).await;
    check(1, 9, ChangeOutcome::Changed).await;
    check(1, 9, ChangeOutcome::Stale).await;
    let row = world.store.workload_get(id).await.unwrap().unwrap();
    assert_eq!(row.facts.generation, generation(9));
    assert_eq!(
        world.told(id).await,
        ["workload.created", "workload.raised"]
    );
}
