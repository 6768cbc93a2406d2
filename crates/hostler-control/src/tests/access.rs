//! Every route, called as every kind of caller. A route that is not in the
//! table below fails the first test.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::Method;
use hostler_core::access::Policy;
use serde_json::{Value, json};

use crate::http::table;
use crate::testing::{Ask, House, Machine, on_both};

use super::access_table::{ROUTES, Who};
use Who::{Anyone, Everybody, Has, HasOrJoin, HasOrNode, HasOrShare, Node};

fn policy_of(who: Who) -> Option<&'static str> {
    match who {
        Has(policy) | HasOrNode(policy) | HasOrJoin(policy) | HasOrShare(policy) => Some(policy),
        Everybody | Anyone | Node => None,
    }
}

#[tokio::test]
async fn every_route_is_in_this_table_and_described_as_it_is() {
    let house = House::on_sqlite().await;
    let expected: BTreeSet<_> = ROUTES
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .collect();
    let (_, api, lines) = table(house.app.clone()).finish();
    let routed: BTreeSet<_> = lines
        .iter()
        .map(|line| (line.method.as_str(), line.path))
        .collect();
    assert_eq!(routed, expected);
    let described: Value = serde_json::to_value(&api).unwrap();
    let mut pairs = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            pairs.insert((method.to_uppercase(), path.clone()));
        }
    }
    let wanted = expected
        .iter()
        .map(|(m, p)| ((*m).to_owned(), (*p).to_owned()));
    assert_eq!(pairs, wanted.collect());
    for item in described["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let answers = &operation["responses"];
            assert_eq!(answers["5XX"], answers["4XX"], "{operation}");
        }
    }
}

/// The fleet in which routes are called.
struct World {
    house: House,
    machine: Machine,
    workload: String,
    digest: String,
    vm: String,
    image: String,
}

impl World {
    async fn in_house(house: House) -> Self {
        let machine = Machine::join(&house, "n1").await;
        let workload = house.deploy("echo").await;
        let digest = house.upload("default").await;
        let image = house.image("debian").await;
        let vm = house.vm("web", json!({})).await;
        Self {
            house,
            machine,
            workload,
            digest,
            vm,
            image,
        }
    }

    /// The route with ids of things that exist, where that is harmless.
    fn ask(&self, method: &str, path: &str) -> Ask {
        let id = if path.starts_with("/workloads") {
            self.workload.clone()
        } else if path.starts_with("/vms") {
            self.vm.clone()
        } else if path.starts_with("/images") {
            self.image.clone()
        } else {
            uuid::Uuid::nil().to_string()
        };
        let path = path.replace("{id}", &id).replace("{digest}", &self.digest);
        let nil = uuid::Uuid::nil().to_string();
        let path = path.replace("{name}", "m1").replace("{user}", "ada");
        let path = path
            .replace("{project}", "default")
            .replace("{kind}", "serial");
        let path = path.replace("{snapshot}", &nil).replace("{share}", &nil);
        let method: Method = method.parse().unwrap();
        let ask = Ask::new(method.clone(), &path);
        let takes_body = method != Method::GET && method != Method::DELETE;
        if takes_body {
            let is_member = path.contains("/members/");
            ask.json(&if is_member {
                json!({"role": "user"})
            } else {
                json!({})
            })
        } else {
            ask
        }
    }

    async fn status(&self, ask: Ask) -> u16 {
        ask.open(&self.house.router).await.status().as_u16()
    }
}

#[tokio::test]
async fn nobody_enters_without_a_valid_secret() {
    on_both(async |house| {
        let world = World::in_house(house).await;
        let body = json!({"name": "short", "policies": ["hostler:admin"], "ttl_s": 60});
        let made = Ask::post("/tokens")
            .json(&body)
            .send(&world.house.router)
            .await
            .expect(201);
        let expired = made["secret"].as_str().unwrap();
        world.house.wait(Duration::from_mins(1));
        for (method, path, who) in ROUTES.iter().copied() {
            let ask = || world.ask(method, path);
            let key = world.machine.key.clone();
            let strangers = [
                ("anonymous", ask().anonymous()),
                ("wrong token", ask().token("a token that nobody was given")),
                ("expired token", ask().token(expired)),
                ("a node's key as a token", ask().token(&key)),
                ("wrong key", ask().key("a key that no node has")),
            ];
            for (caller, ask) in strangers {
                let status = world.status(ask).await;
                let open = who == Everybody;
                assert_eq!(
                    status == 401,
                    !open,
                    "{caller} got {status} from {method} {path}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn each_route_demands_exactly_its_policy() {
    let world = World::in_house(House::on_sqlite().await).await;
    for (method, path, who) in ROUTES.iter().copied() {
        let Some(policy) = policy_of(who) else {
            continue;
        };
        let others = Policy::all().iter().map(|policy| policy.as_str());
        let others: Vec<_> = others
            .filter(|other| ![policy, "hostler:admin"].contains(other))
            .collect();
        let lacks = world.house.token(None, &others).await;
        let answer = world
            .ask(method, path)
            .token(&lacks)
            .send(&world.house.router)
            .await;
        assert_eq!(answer.status, 403, "{method} {path} without {policy}");
        assert_eq!(answer.json()["missing_policy"], policy, "{method} {path}");
        let has = world.house.token(None, &[policy]).await;
        let status = world.status(world.ask(method, path).token(&has)).await;
        assert!(
            ![401, 403].contains(&status),
            "{status}: {method} {path} with {policy}"
        );
        if !path.contains("{id}") {
            let status = world.status(world.ask(method, path)).await;
            assert!(
                ![401, 403].contains(&status),
                "{status}: {method} {path} as admin"
            );
        }
    }
}

#[tokio::test]
async fn another_projects_things_do_not_exist() {
    on_both(async |house| {
        let world = World::in_house(house).await;
        let every: Vec<_> = Policy::all().iter().map(|policy| policy.as_str()).collect();
        let other = world.house.token(Some("other"), &every).await;
        for (method, path, who) in ROUTES.iter().copied() {
            let Some(policy) = policy_of(who) else {
                continue;
            };
            let policy: Policy = policy.parse().unwrap();
            let status = world.status(world.ask(method, path).token(&other)).await;
            if policy.is_fleet_wide() {
                assert_eq!(status, 403, "{method} {path}");
            } else if path.contains("{id}") || path.contains("{project}") {
                assert_eq!(status, 404, "{method} {path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_projects_lists_show_only_its_own() {
    on_both(async |house| {
        let world = World::in_house(house).await;
        let other = world.house.token(Some("other"), &["hostler:admin"]).await;
        let router = &world.house.router;
        let listed = Ask::get("/workloads")
            .token(&other)
            .send(router)
            .await
            .expect(200);
        assert_eq!(listed["items"], json!([]));
        let listed = Ask::get("/artifacts")
            .token(&other)
            .send(router)
            .await
            .expect(200);
        assert_eq!(listed, json!([]));
        let events = Ask::get("/activity")
            .token(&other)
            .send(router)
            .await
            .expect(200);
        let own = |event: &Value| event["project"] == "other";
        assert!(
            events["items"].as_array().unwrap().iter().all(own),
            "{events}"
        );
        let digest = &world.digest;
        for path in [
            format!("/artifacts/{digest}?project=default"),
            format!("/artifacts/{digest}/content?project=default"),
            "/workloads?project=default".to_owned(),
        ] {
            Ask::get(&path)
                .token(&other)
                .send(router)
                .await
                .refused(404, "not_found");
        }
        let mut body = world.house.service("theirs").await;
        body["project"] = json!("default");
        let create = Ask::post("/workloads").token(&other).json(&body);
        create.send(router).await.refused(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_nodes_key_opens_its_own_affairs_and_nothing_else() {
    let mut world = World::in_house(House::on_sqlite().await).await;
    for (method, path, who) in ROUTES.iter().copied() {
        let status = world
            .status(world.ask(method, path).key(&world.machine.key))
            .await;
        match who {
            Everybody | Node => assert_ne!(status, 401, "{method} {path}"),
            // Nothing that is seated there needs it yet.
            HasOrNode(_) => assert_eq!(status, 404, "{method} {path}"),
            Has(_) | HasOrJoin(_) | HasOrShare(_) | Anyone => {
                assert_eq!(status, 401, "{method} {path}");
            }
        }
    }
    world.house.settle().await;
    let path = format!("/artifacts/{}/content", world.digest);
    let status = world.status(Ask::get(&path).key(&world.machine.key)).await;
    assert_eq!(status, 200, "it was given work that needs it");
    let stranger = Machine::join(&world.house, "n2").await;
    assert_eq!(world.status(Ask::get(&path).key(&stranger.key)).await, 404);
}

#[tokio::test]
async fn a_join_token_registers_as_many_nodes_as_it_says() {
    on_both(async |house| {
        let made = Ask::post("/join-tokens").json(&json!({"uses": 1, "ttl_s": 60}));
        let made = made.send(&house.router).await.expect(201);
        let secret = made["secret"].as_str().unwrap();
        let join = |name: &str| {
            let body = json!({"name": name, "hostname": "127.0.0.1", "port": 1});
            Ask::post("/slaves").token(secret).json(&body)
        };
        let node = join("n1").send(&house.router).await.expect(201);
        assert_eq!(node["status"], "pending");
        assert!(node["api_key"].as_str().unwrap().len() > 40);
        join("n2")
            .send(&house.router)
            .await
            .refused(401, "unauthenticated");
        let listed = Ask::get("/slaves").send(&house.router).await.expect(200);
        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert!(
            !listed.to_string().contains("api_key"),
            "the key is shown once"
        );
        Ask::get("/slaves")
            .token(secret)
            .send(&house.router)
            .await
            .refused(401, "unauthenticated");
    })
    .await;
}

#[tokio::test]
async fn nobody_grants_what_they_lack() {
    let house = House::on_sqlite().await;
    let maker = house.token(None, &["tokens:create", "workloads:get"]).await;
    let make = |secret: &str, body: Value| Ask::post("/tokens").token(secret).json(&body);
    let body = json!({"name": "weak", "policies": ["workloads:get"]});
    let weak = make(&maker, body).send(&house.router).await.expect(201);
    assert_eq!(weak["policies"], json!(["workloads:get"]));
    let body = json!({"name": "strong", "policies": ["nodes:delete"]});
    make(&maker, body)
        .send(&house.router)
        .await
        .refused(403, "missing_policy");
    let bound = house.token(Some("a"), &["hostler:admin"]).await;
    let body = json!({"name": "wide", "policies": [], "project": "b"});
    make(&bound, body)
        .send(&house.router)
        .await
        .refused(404, "not_found");
    let body = json!({"name": "own", "policies": ["hostler:admin"]});
    let own = make(&bound, body).send(&house.router).await.expect(201);
    assert_eq!(own["project"], "a", "it cannot leave its project");
}

#[tokio::test]
async fn a_deleted_token_opens_nothing_from_then_on() {
    let house = House::on_sqlite().await;
    let body = json!({"name": "t", "policies": ["workloads:get"]});
    let made = Ask::post("/tokens")
        .json(&body)
        .send(&house.router)
        .await
        .expect(201);
    let secret = made["secret"].as_str().unwrap();
    let look = || Ask::get("/workloads").token(secret);
    look().send(&house.router).await.expect(200);
    let path = format!("/tokens/{}", made["id"].as_str().unwrap());
    Ask::delete(&path).send(&house.router).await.expect(204);
    look()
        .send(&house.router)
        .await
        .refused(401, "unauthenticated");
    let listed = Ask::get("/tokens").send(&house.router).await.expect(200);
    assert!(!listed.to_string().contains("secret"), "{listed}");
}
