//! Opening: the schema comes up once, and never down.

use hostler_store::{OpenError, SealingKey, Store};
use sea_orm::ConnectionTrait;

use super::world::World;

pub(crate) async fn a_store_opens_again_with_what_it_had_and_migrates_nothing_twice(world: &World) {
    let before = applied(world).await;
    let made = world.workload("echo").await;
    let again = world.again().await;
    assert_eq!(again.workload_get(made.facts.id).await.unwrap(), Some(made));
    assert_eq!(applied(world).await, before);
    again.ping().await.unwrap();
}

pub(crate) async fn two_processes_may_open_at_once(world: &World) {
    let (one, two) = tokio::join!(world.again(), world.again());
    one.ping().await.unwrap();
    two.ping().await.unwrap();
}

pub(crate) async fn a_newer_schema_is_refused_by_name(world: &World) {
    let db = sea_orm::Database::connect(&world.url).await.unwrap();
    let step = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)";
    db.execute_unprepared(step).await.unwrap();
    let error = Store::open(&world.url, SealingKey::from_bytes(world.key))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, OpenError::Newer(step) if step == "m9999_future"),
        "{error:?}"
    );
    assert!(error.to_string().contains("newer version"), "{error}");
}

async fn applied(world: &World) -> Vec<(String, i64)> {
    let db = sea_orm::Database::connect(&world.url).await.unwrap();
    let sql = "SELECT version, applied_at FROM seaql_migrations ORDER BY version";
    let sql = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(sql).await.unwrap();
    let row = |row: sea_orm::QueryResult| {
        (
            row.try_get_by_index(0).unwrap(),
            row.try_get_by_index(1).unwrap(),
        )
    };
    rows.into_iter().map(row).collect()
}

#[tokio::test]
async fn an_address_of_no_known_database_is_refused() {
    for url in ["mysql://localhost/x", "hostler.db", ""] {
        let error = Store::open(url, SealingKey::random()).await.unwrap_err();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_memory_database_is_one_database() {
    let store = Store::open("sqlite::memory:", SealingKey::random())
        .await
        .unwrap();
    for _ in 0..3 {
        assert_eq!(store.node_list().await.unwrap(), Vec::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_in_clear_in_the_file() {
    let world = World::sqlite().await;
    let secrets = [
        "correct horse",
        "key of n1",
        "join me",
        "let me in",
        "the first token",
    ];
    world.stranger("n1").await;
    world.workload("echo").await;
    super::access::join_token(&world, secrets[2], 1).await;
    super::access::token(&world, secrets[3]).await;
    let store = &world.store;
    store
        .bootstrap_admin(&super::world::BY, secrets[4], Vec::new())
        .await
        .unwrap();

    let mut bytes = Vec::new();
    for end in ["", "-wal"] {
        let file = format!("{}{end}", world.database_file().display());
        bytes.extend(std::fs::read(file).unwrap());
    }
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(
        holds("echo") && holds("TOKEN"),
        "the search finds what is in clear"
    );
    for secret in secrets {
        assert!(!holds(secret), "'{secret}' is in the file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::sqlite().await;
    for end in ["", "-wal", "-shm"] {
        let file = format!("{}{end}", world.database_file().display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
