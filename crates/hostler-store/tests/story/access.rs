//! Join tokens and API tokens.

use std::time::Duration;

use hostler_core::id::TokenId;
use hostler_store::{By, NewJoinToken, NewToken, NodeRegisterError, Secret};

use super::world::{BY, NOW, World, name, new_node};

const HOUR: Duration = Duration::from_hours(1);

pub(crate) async fn join_token(world: &World, secret: &str, uses: u32) -> TokenId {
    let new = NewJoinToken {
        secret: Secret::new(secret),
        expires_at: NOW + HOUR,
        uses,
    };
    world.store.join_token_insert(&BY, new).await.unwrap().id
}

pub(crate) async fn token(world: &World, secret: &str) -> TokenId {
    let new = NewToken {
        name: "ci".to_owned(),
        project: Some(name("default")),
        policies: vec!["workloads:create".to_owned()],
        secret: Secret::new(secret),
        expires_at: Some(NOW + HOUR),
        owner: None,
    };
    world.store.token_insert(&BY, new).await.unwrap().id
}

pub(crate) async fn a_join_token_lets_in_as_many_as_it_has_uses(world: &World) {
    let store = &world.store;
    let id = join_token(world, "join me", 2).await;
    let tries = (0..8).map(|_| store.join_token_spend(&BY, "join me"));
    let spent = futures::future::join_all(tries).await;
    let spent = spent
        .into_iter()
        .filter(|spent| spent.as_ref().unwrap() == &Some(id));
    assert_eq!(spent.count(), 2);
    assert_eq!(store.join_token_list().await.unwrap()[0].uses_left, 0);
    assert_eq!(store.join_token_spend(&BY, "no such").await.unwrap(), None);

    let late = By::new("ada", NOW + HOUR);
    let other = join_token(world, "too late", 1).await;
    assert_eq!(
        store.join_token_spend(&late, "too late").await.unwrap(),
        None
    );
    assert!(store.join_token_delete(&BY, other).await.unwrap());
    assert!(!store.join_token_delete(&BY, other).await.unwrap());
    assert_eq!(
        world.told(other).await,
        ["join-token.created", "join-token.deleted"]
    );
    assert_eq!(store.join_token_sweep(late.now + HOUR).await.unwrap(), 1);
}

pub(crate) async fn a_refused_registration_spends_nothing(world: &World) {
    let secret = Secret::new("join me");
    join_token(world, "join me", 1).await;
    world.stranger("n1").await;
    let register = async |node: &str| {
        let mut new = new_node(node);
        new.key = Secret::new(format!("joined key of {node}"));
        world.store.node_register(&BY, new, Some(&secret)).await
    };
    assert!(matches!(
        register("n1").await,
        Err(NodeRegisterError::NameTaken(_))
    ));
    register("n2").await.unwrap();
    assert!(matches!(
        register("n3").await,
        Err(NodeRegisterError::JoinRefused)
    ));
    assert_eq!(world.store.node_list().await.unwrap().len(), 2);
}

pub(crate) async fn a_token_works_until_it_expires_or_is_deleted(world: &World) {
    let store = &world.store;
    let id = token(world, "let me in").await;
    let found = store
        .token_by_secret("let me in", NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.name.as_str()), (id, "ci"));
    assert_eq!(found.policies, ["workloads:create"]);
    assert_eq!(store.token_get(id).await.unwrap().as_ref(), Some(&found));
    assert_eq!(
        store.token_list(Some(&name("default"))).await.unwrap(),
        [found]
    );
    assert_eq!(store.token_list(Some(&name("other"))).await.unwrap(), []);
    assert_eq!(
        store
            .token_by_secret("let me in", NOW + HOUR)
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.token_by_secret("guess", NOW).await.unwrap(), None);
    assert!(store.token_delete(&BY, id).await.unwrap());
    assert!(!store.token_delete(&BY, id).await.unwrap());
    assert_eq!(store.token_by_secret("let me in", NOW).await.unwrap(), None);
    assert_eq!(world.told(id).await, ["token.created", "token.deleted"]);
}

pub(crate) async fn the_bootstrap_token_is_made_once_and_replaced_by_another_secret(world: &World) {
    let policies = || vec!["*".to_owned()];
    let store = &world.store;
    let first = store.bootstrap_admin(&BY, "one", policies()).await.unwrap();
    assert_eq!(
        store.bootstrap_admin(&BY, "one", policies()).await.unwrap(),
        first
    );
    assert_eq!(world.told(first.id).await, ["token.created"]);
    let second = store.bootstrap_admin(&BY, "two", policies()).await.unwrap();
    assert_eq!(store.token_by_secret("one", NOW).await.unwrap(), None);
    assert_eq!(
        store.token_by_secret("two", NOW).await.unwrap(),
        Some(second)
    );
    assert_eq!(store.token_list(None).await.unwrap().len(), 1);
}
