//! Users, roles, projects, sessions, and who is left to govern.

use std::time::Duration;

use hostler_core::access::{Grants, Policy, PolicySet, Quota, UserName};
use hostler_core::id::UserId;
use hostler_store::{
    AccessError, By, Identity, NewProject, NewSession, NewSignIn, NewToken, NewUser, Secret,
    SessionRow, SignInOutcome, UserChange, UserRow,
};

use super::world::{BY, NOW, World, name};

const HOUR: Duration = Duration::from_hours(1);

pub(crate) fn user_name(text: &str) -> UserName {
    text.parse().unwrap()
}

fn new_user(text: &str, roles: &[&str]) -> NewUser {
    NewUser {
        name: user_name(text),
        password: Some("a hash".to_owned()),
        grants: Grants {
            roles: roles.iter().map(|role| name(role)).collect(),
            ..Grants::default()
        },
        identity: None,
    }
}

async fn user(world: &World, text: &str, roles: &[&str]) -> UserRow {
    let made = world.store.user_insert(&BY, new_user(text, roles)).await;
    made.unwrap()
}

async fn session(world: &World, user: UserId, secret: &str) -> SessionRow {
    let new = NewSession {
        user,
        secret: Secret::new(secret),
        expires_at: NOW + HOUR,
        method: "password",
    };
    world.store.session_insert(&BY, new).await.unwrap()
}

async fn is_in(world: &World, secret: &str) -> bool {
    let found = world.store.session_by_secret(secret, NOW).await.unwrap();
    found.is_some()
}

fn roles(words: &[&str]) -> UserChange {
    UserChange {
        roles: Some(words.iter().map(|word| name(word)).collect()),
        ..UserChange::default()
    }
}

pub(crate) async fn a_user_is_made_once_and_has_what_was_given_to_them(world: &World) {
    let store = &world.store;
    let ada = user(world, "Ada", &["operator"]).await;
    let again = store.user_insert(&BY, new_user("ada", &[])).await;
    assert!(matches!(again, Err(AccessError::NameTaken { .. })));
    let unknown = store.user_insert(&BY, new_user("bob", &["chief"])).await;
    assert!(matches!(unknown, Err(AccessError::RoleUnknown(_))));
    let (found, hash) = store
        .user_by_name(&user_name("ada"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, ada);
    assert_eq!(hash.unwrap().expose(), "a hash");
    let policies = PolicySet::from([Policy::NodesGet]);
    store
        .role_set(&BY, &name("looker"), String::new(), policies)
        .await
        .unwrap();
    let changed = store.user_change(&BY, ada.id, &roles(&["looker"])).await;
    let changed = changed.unwrap().unwrap();
    let rights = changed.grants.rights(&store.role_book().await.unwrap());
    assert!(rights.holds(Policy::NodesGet) && !rights.holds(Policy::NodesDrain));
    assert_eq!(store.user_list().await.unwrap(), [changed]);
    assert_eq!(world.told(ada.id).await, ["user.created", "user.changed"]);
    let built_in = store
        .role_set(&BY, &name("viewer"), String::new(), PolicySet::new())
        .await;
    assert!(matches!(built_in, Err(AccessError::NameTaken { .. })));
}

pub(crate) async fn a_change_of_users_keeps_an_administrator(world: &World) {
    let store = &world.store;
    let everything = || PolicySet::from([Policy::Admin]);
    store
        .role_set(&BY, &name("chief"), String::new(), everything())
        .await
        .unwrap();
    let ada = user(world, "ada", &["chief"]).await;
    let last = |outcome| matches!(outcome, Err(AccessError::LastAdmin));
    assert!(last(
        store.user_change(&BY, ada.id, &roles(&[])).await.map(drop)
    ));
    let off = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    assert!(last(store.user_change(&BY, ada.id, &off).await.map(drop)));
    assert!(last(store.user_delete(&BY, ada.id).await.map(drop)));
    let weaker = store
        .role_set(&BY, &name("chief"), String::new(), PolicySet::new())
        .await;
    assert!(last(weaker.map(drop)));

    let token = |expires_at, secret: &str| NewToken {
        name: "root".to_owned(),
        project: None,
        policies: vec!["hostler:admin".to_owned()],
        secret: Secret::new(secret),
        expires_at,
        owner: None,
    };
    store
        .token_insert(&BY, token(Some(NOW + HOUR), "short"))
        .await
        .unwrap();
    assert!(
        last(store.user_delete(&BY, ada.id).await.map(drop)),
        "it will expire"
    );
    let root = store.token_insert(&BY, token(None, "long")).await.unwrap();
    assert!(store.user_delete(&BY, ada.id).await.unwrap());
    assert!(last(store.token_delete(&BY, root.id).await.map(drop)));
    assert!(store.token_by_secret("long", NOW).await.unwrap().is_some());
}

pub(crate) async fn of_two_administrators_who_remove_each_other_one_stays(world: &World) {
    let (one, two) = (world.again().await, world.again().await);
    for round in 0..5 {
        let ada = user(world, &format!("ada{round}"), &["admin"]).await;
        let bob = user(world, &format!("bob{round}"), &["admin"]).await;
        for other in world.store.user_list().await.unwrap() {
            if other.id != ada.id && other.id != bob.id {
                world.store.user_delete(&BY, other.id).await.unwrap();
            }
        }
        let (first, second) =
            tokio::join!(one.user_delete(&BY, ada.id), two.user_delete(&BY, bob.id));
        let gone = [&first, &second].map(|outcome| matches!(outcome, Ok(true)));
        assert_ne!(gone[0], gone[1], "{first:?} {second:?}");
        assert_eq!(world.store.user_list().await.unwrap().len(), 1);
    }
}

pub(crate) async fn a_role_in_use_is_not_deleted(world: &World) {
    let store = &world.store;
    let looker = name("looker");
    let set = store.role_set(&BY, &looker, String::new(), PolicySet::new());
    set.await.unwrap();
    let ada = user(world, "ada", &["looker"]).await;
    let refused = store.role_delete(&BY, &name("looker")).await;
    assert!(matches!(refused, Err(AccessError::InUse(_))));
    store.user_change(&BY, ada.id, &roles(&[])).await.unwrap();
    let project = name("default");
    store
        .member_set(&BY, &project, ada.id, &name("looker"))
        .await
        .unwrap();
    let refused = store.role_delete(&BY, &name("looker")).await;
    assert!(matches!(refused, Err(AccessError::InUse(_))));
    store.member_delete(&BY, &project, ada.id).await.unwrap();
    assert!(store.role_delete(&BY, &name("looker")).await.unwrap());
    assert!(!store.role_delete(&BY, &name("looker")).await.unwrap());
}

pub(crate) async fn a_deleted_user_leaves_nothing_that_opens_anything(world: &World) {
    let store = &world.store;
    let ada = user(world, "ada", &[]).await;
    store
        .member_set(&BY, &name("default"), ada.id, &name("user"))
        .await
        .unwrap();
    session(world, ada.id, "let me in").await;
    let token = NewToken {
        name: "laptop".to_owned(),
        project: None,
        policies: vec![],
        secret: Secret::new("her token"),
        expires_at: None,
        owner: Some(ada.id),
    };
    store.token_insert(&BY, token).await.unwrap();
    assert!(store.user_delete(&BY, ada.id).await.unwrap());
    assert!(!is_in(world, "let me in").await);
    assert_eq!(store.token_by_secret("her token", NOW).await.unwrap(), None);
    assert_eq!(store.member_list(&name("default")).await.unwrap(), []);
    assert!(!store.user_delete(&BY, ada.id).await.unwrap());
}

pub(crate) async fn a_session_ends_with_its_time_its_user_or_its_password(world: &World) {
    let store = &world.store;
    let ada = user(world, "ada", &[]).await;
    let kept = session(world, ada.id, "kept").await;
    session(world, ada.id, "other").await;
    assert!(is_in(world, "kept").await && is_in(world, "other").await);
    let late = store.session_by_secret("kept", NOW + HOUR).await.unwrap();
    assert_eq!(late, None);
    let set = store
        .user_password_set(&BY, ada.id, "new hash", Some(kept.id))
        .await;
    assert!(set.unwrap());
    assert!(is_in(world, "kept").await && !is_in(world, "other").await);
    let later = NOW + Duration::from_mins(5);
    store.session_used(&kept, later).await.unwrap();
    assert_eq!(
        store.session_get(kept.id).await.unwrap().unwrap().last_used,
        later
    );
    let seen = store.user_get(ada.id).await.unwrap().unwrap().last_activity;
    assert_eq!(seen, Some(later));
    assert_eq!(store.session_sweep(later, later).await.unwrap(), 0);
    let off = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    store.user_change(&BY, ada.id, &off).await.unwrap();
    assert!(!is_in(world, "kept").await);
    session(world, ada.id, "idle").await;
    assert_eq!(store.session_sweep(later, later).await.unwrap(), 1);
    let mine = session(world, ada.id, "mine").await;
    let bob = user(world, "bob", &[]).await;
    assert!(!store.session_delete(&BY, bob.id, mine.id).await.unwrap());
    assert!(store.session_delete(&BY, ada.id, mine.id).await.unwrap());
}

pub(crate) async fn a_member_has_a_role_in_one_project(world: &World) {
    let store = &world.store;
    let ada = user(world, "ada", &[]).await;
    let new = NewProject {
        name: name("lab"),
        description: "for trying".to_owned(),
        quota: Quota::default(),
    };
    store.project_insert(&BY, new.clone()).await.unwrap();
    let again = store.project_insert(&BY, new).await;
    assert!(matches!(again, Err(AccessError::NameTaken { .. })));
    assert!(
        store
            .member_set(&BY, &name("lab"), ada.id, &name("viewer"))
            .await
            .unwrap()
    );
    assert!(
        store
            .member_set(&BY, &name("lab"), ada.id, &name("user"))
            .await
            .unwrap()
    );
    let members = store.member_list(&name("lab")).await.unwrap();
    assert_eq!((members.len(), &members[0].role), (1, &name("user")));
    let found = store.user_get(ada.id).await.unwrap().unwrap();
    assert_eq!(found.grants.memberships, [(name("lab"), name("user"))]);
    let missing = store
        .member_set(&BY, &name("none"), ada.id, &name("user"))
        .await;
    assert!(matches!(missing, Err(AccessError::ProjectUnknown(_))));
    let nobody = UserId::from_parts(1, [0; 10]);
    assert!(
        !store
            .member_set(&BY, &name("lab"), nobody, &name("user"))
            .await
            .unwrap()
    );
    assert!(store.project_delete(&BY, &name("lab")).await.unwrap());
    let found = store.user_get(ada.id).await.unwrap().unwrap();
    assert_eq!(found.grants.memberships, []);
}

pub(crate) async fn a_project_with_something_in_it_is_not_deleted(world: &World) {
    let store = &world.store;
    let refused = store.project_delete(&BY, &name("default")).await;
    let text = refused.unwrap_err().to_string();
    assert_eq!(text, "the project 'default' has 1 artifacts");
    world.workload("echo").await;
    let refused = store.project_delete(&BY, &name("default")).await;
    assert!(refused.unwrap_err().to_string().contains("1 workloads"));
    assert!(!store.project_delete(&BY, &name("none")).await.unwrap());
}

pub(crate) async fn a_sign_in_is_answered_once_and_redeemed_once(world: &World) {
    let store = &world.store;
    let ada = user(world, "ada", &[]).await;
    let new = NewSignIn {
        state: "state".to_owned(),
        nonce: "nonce".to_owned(),
        verifier: "verifier".to_owned(),
        challenge: "challenge".to_owned(),
        return_to: "/".to_owned(),
        expires_at: NOW + HOUR,
    };
    store.sign_in_begin(&BY, new).await.unwrap();
    let answered = store.sign_in_answered(&BY, "state", "code").await.unwrap();
    let answered = answered.unwrap();
    assert_eq!(
        (answered.nonce.as_str(), answered.verifier.as_str()),
        ("nonce", "verifier")
    );
    assert!(
        store
            .sign_in_answered(&BY, "state", "other")
            .await
            .unwrap()
            .is_none()
    );
    let redeem = async |code: &str, challenge: &str| {
        store.sign_in_redeem(&BY, code, challenge).await.unwrap()
    };
    assert_eq!(
        redeem("code", "challenge").await,
        None,
        "nobody is proven yet"
    );
    store.sign_in_proven(&BY, "state", ada.id).await.unwrap();
    assert_eq!(redeem("code", "guess").await, None);
    assert_eq!(redeem("guess", "challenge").await, None);
    let late = By::new("ada", NOW + HOUR);
    assert_eq!(
        store
            .sign_in_redeem(&late, "code", "challenge")
            .await
            .unwrap(),
        None
    );
    assert_eq!(redeem("code", "challenge").await, Some(ada.id));
    assert_eq!(redeem("code", "challenge").await, None, "once");
}

pub(crate) async fn who_is_vouched_for_has_what_their_groups_say(world: &World) {
    let store = &world.store;
    user(world, "root", &["admin"]).await;
    let vouched = async |text: &str, subject: &str, roles: &[&str], project: Option<&str>| {
        let mut new = new_user(text, roles);
        new.password = None;
        new.grants.memberships = project
            .into_iter()
            .map(|p| (name(p), name("user")))
            .collect();
        new.identity = Some(Identity {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
        });
        store.user_vouched(&BY, new).await.unwrap()
    };
    let SignInOutcome::User(ada) = vouched("ada", "1", &["operator"], Some("default")).await else {
        panic!("she is new");
    };
    let SignInOutcome::User(again) = vouched("ada", "1", &["operator"], Some("default")).await
    else {
        panic!("she is known");
    };
    assert_eq!((again.id, &again.grants), (ada.id, &ada.grants));
    let SignInOutcome::User(less) = vouched("renamed", "1", &["viewer"], None).await else {
        panic!("she is known by her subject");
    };
    assert_eq!((less.id, &less.name), (ada.id, &user_name("ada")));
    let found = store.user_get(ada.id).await.unwrap().unwrap();
    assert_eq!(
        (&found.grants.roles[..], found.grants.memberships.len()),
        (&[name("viewer")][..], 0)
    );
    let stranger = vouched("eve", "3", &[], None).await;
    assert_eq!(stranger, SignInOutcome::Stranger);
    assert_eq!(
        vouched("root", "2", &["admin"], None).await,
        SignInOutcome::NameTaken
    );
    let off = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    store.user_change(&BY, ada.id, &off).await.unwrap();
    assert_eq!(
        vouched("ada", "1", &["admin"], None).await,
        SignInOutcome::Disabled
    );
}
