//! Projects: members, quotas, and what others find of them.
// A story is told in one go.
#![allow(clippy::too_many_lines)]

use axum::http::Method;
use serde_json::{Value, json};

use super::users::{session, user};
use crate::testing::{Ask, House, on_both};

async fn project(house: &House, name: &str, quota: Value) {
    let body = json!({"name": name, "quota": quota});
    let made = Ask::post("/projects").json(&body).send(&house.router).await;
    made.expect(201);
}

fn member(project: &str, user: &str, role: &str) -> Ask {
    let path = format!("/projects/{project}/members/{user}");
    Ask::new(Method::PUT, &path).json(&json!({"role": role}))
}

async fn create(house: &House, secret: &str, project: &str, name: &str) -> crate::testing::Answer {
    house.upload(project).await;
    let mut body = house.service(name).await;
    body["project"] = json!(project);
    let create = Ask::post("/workloads").token(secret).json(&body);
    create.send(&house.router).await
}

#[tokio::test]
async fn a_member_may_do_in_a_project_what_their_role_there_says() {
    on_both(async |house| {
        for name in ["lab", "shop", "vault"] {
            project(&house, name, json!({})).await;
        }
        user(&house, "ada", &[]).await;
        member("lab", "ada", "user")
            .send(&house.router)
            .await
            .expect(200);
        member("shop", "ADA", "viewer")
            .send(&house.router)
            .await
            .expect(200);
        let ada = session(&house, "ada").await;
        let mine = create(&house, &ada, "lab", "mine").await.expect(201);
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        create(&house, &ada, "shop", "no")
            .await
            .refused(403, "missing_policy");
        create(&house, &ada, "vault", "no")
            .await
            .refused(404, "not_found");
        let admin = crate::testing::ADMIN;
        let shops = create(&house, admin, "shop", "theirs").await.expect(201);
        let vaults = create(&house, admin, "vault", "secret").await.expect(201);
        let ask = async |method: Method, path: &str| {
            let answer = Ask::new(method, path).token(&ada).send(&house.router).await;
            answer.status.as_u16()
        };
        let get = Method::GET;
        assert_eq!(
            ask(get.clone(), &format!("/workloads/{}", id(&mine))).await,
            200
        );
        assert_eq!(
            ask(get.clone(), &format!("/workloads/{}", id(&shops))).await,
            200
        );
        assert_eq!(
            ask(get.clone(), &format!("/workloads/{}", id(&vaults))).await,
            404
        );
        assert_eq!(
            ask(Method::DELETE, &format!("/workloads/{}", id(&shops))).await,
            403
        );
        assert_eq!(
            ask(Method::DELETE, &format!("/workloads/{}", id(&vaults))).await,
            404
        );
        assert_eq!(ask(get.clone(), "/projects/vault").await, 404);
        assert_eq!(ask(get.clone(), "/projects/none").await, 404);
        assert_eq!(ask(get.clone(), "/workloads?project=vault").await, 404);
        assert_eq!(ask(get, "/slaves").await, 403);
        let listed = Ask::get("/workloads")
            .token(&ada)
            .send(&house.router)
            .await
            .expect(200);
        let items = listed["items"].as_array().unwrap().iter();
        let mut names: Vec<_> = items.map(|one| one["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["mine", "theirs"]);
        for path in ["/activity?limit=1000", "/artifacts", "/projects"] {
            let text = Ask::get(path)
                .token(&ada)
                .send(&house.router)
                .await
                .expect(200)
                .to_string();
            assert!(
                text.contains("lab") && !text.contains("vault"),
                "{path}: {text}"
            );
        }
        let left = Ask::delete("/projects/lab/members/ada")
            .send(&house.router)
            .await;
        left.expect(204);
        let gone = Ask::get(&format!("/workloads/{}", id(&mine))).token(&ada);
        gone.send(&house.router).await.refused(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn who_manages_members_gives_no_more_than_they_have_there() {
    let house = House::on_sqlite().await;
    project(&house, "lab", json!({})).await;
    project(&house, "shop", json!({})).await;
    let body = json!({"policies": ["members:manage", "projects:get", "workloads:get"]});
    let role = Ask::new(Method::PUT, "/roles/lead").json(&body);
    role.send(&house.router).await.expect(200);
    for name in ["lead", "ada", "boss"] {
        user(&house, name, &[]).await;
    }
    member("lab", "lead", "lead")
        .send(&house.router)
        .await
        .expect(200);
    member("lab", "boss", "admin")
        .send(&house.router)
        .await
        .expect(200);
    let lead = session(&house, "lead").await;
    let by_lead = async |ask: Ask| ask.token(&lead).send(&house.router).await;
    by_lead(member("lab", "ada", "lead")).await.expect(200);
    by_lead(member("lab", "ada", "admin"))
        .await
        .refused(403, "missing_policy");
    by_lead(member("lab", "boss", "lead"))
        .await
        .refused(403, "missing_policy");
    by_lead(Ask::delete("/projects/lab/members/boss"))
        .await
        .refused(403, "missing_policy");
    by_lead(member("shop", "ada", "lead"))
        .await
        .refused(404, "not_found");
    by_lead(member("lab", "nobody", "lead"))
        .await
        .refused(404, "not_found");
    by_lead(member("lab", "ada", "chief"))
        .await
        .refused(422, "invalid");
    let listed = by_lead(Ask::get("/projects/lab/members")).await.expect(200);
    assert_eq!(listed.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_quota_is_told_and_kept() {
    on_both(async |house| {
        project(&house, "lab", json!({"workloads": 2, "cpu_millis": 150})).await;
        let admin = crate::testing::ADMIN;
        create(&house, admin, "lab", "one").await.expect(201);
        let text = create(&house, admin, "lab", "two")
            .await
            .refused(409, "conflict");
        assert!(
            text.contains("cpu: 100m of 150m are used, 100m more"),
            "{text}"
        );
        let path = "/projects/lab";
        let update = |body: Value| Ask::new(Method::PATCH, path).json(&body);
        update(json!({"quota": {"workloads": 2}}))
            .send(&house.router)
            .await
            .expect(200);
        create(&house, admin, "lab", "two").await.expect(201);
        create(&house, admin, "lab", "three")
            .await
            .refused(409, "conflict");
        let shown = Ask::get(path).send(&house.router).await.expect(200);
        assert_eq!(shown["quota"], json!({"workloads": 2}));
        assert_eq!(shown["used"]["workloads"], 2);
        assert_eq!(shown["used"]["cpu_millis"], 200);
        Ask::delete(path)
            .send(&house.router)
            .await
            .refused(409, "conflict");
        for bad in [
            json!({"quota": {"workloads": -1}}),
            json!({"quota": {"cores": 1}}),
            json!({"quota": [1]}),
        ] {
            update(bad)
                .send(&house.router)
                .await
                .refused(422, "invalid");
        }
        let again = Ask::post("/projects").json(&json!({"name": "lab"}));
        again.send(&house.router).await.refused(409, "conflict");
    })
    .await;
}
