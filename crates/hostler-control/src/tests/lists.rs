//! Lists: filters, pages.

use serde_json::{Value, json};

use crate::testing::{Ask, House, Machine, on_both};

async fn names(house: &House, path: &str) -> (Vec<String>, Option<String>) {
    let page = Ask::get(path).send(&house.router).await.expect(200);
    let items = page["items"].as_array().unwrap();
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    (
        items.iter().map(name).collect(),
        page["next"].as_str().map(str::to_owned),
    )
}

#[tokio::test]
async fn pages_show_everything_once_and_in_order() {
    on_both(async |house| {
        for number in 0..5 {
            house.deploy(&format!("w{number}")).await;
        }
        let mut seen = Vec::new();
        let mut path = "/workloads?limit=2".to_owned();
        loop {
            let (page, next) = names(&house, &path).await;
            assert!(page.len() <= 2);
            seen.extend(page);
            let Some(next) = next else { break };
            path = format!("/workloads?limit=2&after={next}");
        }
        assert_eq!(seen, ["w0", "w1", "w2", "w3", "w4"]);
    })
    .await;
}

#[tokio::test]
async fn a_list_is_narrowed_by_project_name_status_and_node() {
    let mut house = House::on_sqlite().await;
    let machine = Machine::join(&house, "n1").await;
    house.deploy("first").await;
    house.settle().await;
    let mut stopped = house.service("second").await;
    stopped["goal"] = json!("stopped");
    house.wait(std::time::Duration::from_millis(1));
    Ask::post("/workloads")
        .json(&stopped)
        .send(&house.router)
        .await
        .expect(201);
    house.upload("blue").await;
    let mut blue = house.service("first").await;
    blue["project"] = json!("blue");
    house.wait(std::time::Duration::from_millis(1));
    Ask::post("/workloads")
        .json(&blue)
        .send(&house.router)
        .await
        .expect(201);
    let check = async |query: &str, expected: &[&str]| {
        let (found, next) = names(&house, &format!("/workloads?{query}")).await;
        assert_eq!(found, expected, "{query}");
        assert_eq!(next, None, "{query}");
    };
    check("", &["first", "second", "first"]).await;
    check("project=blue", &["first"]).await;
    check("name=first", &["first", "first"]).await;
    check("status=running", &["first"]).await;
    check("status=stopped", &["second"]).await;
    check("status=queued&limit=1", &["first"]).await;
    check("status=failed", &[]).await;
    check(&format!("slave_id={}", machine.id), &["first"]).await;
}
