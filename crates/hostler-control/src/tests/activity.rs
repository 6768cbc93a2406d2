//! What happened: history, and live with nothing missed.

use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;

use crate::testing::{Ask, House, on_both};

/// Reads live events, as ids and kinds.
struct Live {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Live {
    async fn open(house: &House, ask: Ask) -> Self {
        let response = ask.open(&house.router).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    async fn next(&mut self) -> Value {
        let patience = Duration::from_secs(20);
        let event = tokio::time::timeout(patience, async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    let data = data.map(str::to_owned);
                    self.text = rest.to_owned();
                    if let Some(data) = data {
                        return serde_json::from_str(&data).unwrap();
                    }
                    continue;
                }
                let chunk = self.body.next().await.unwrap().unwrap();
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        });
        event.await.unwrap()
    }
}

#[tokio::test]
async fn history_is_read_in_pages_and_by_subject() {
    on_both(async |house| {
        let id = house.deploy("echo").await;
        Ask::post(&format!("/workloads/{id}/stop"))
            .send(&house.router)
            .await
            .expect(202);
        let all = Ask::get("/activity?limit=1000")
            .send(&house.router)
            .await
            .expect(200);
        let all = all["items"].as_array().unwrap().clone();
        let first = all[0]["id"].as_str().unwrap();
        let mut seen = vec![first.to_owned()];
        loop {
            let path = format!("/activity?limit=1&after={}", seen.last().unwrap());
            let page = Ask::get(&path).send(&house.router).await.expect(200);
            let Some(event) = page["items"].get(0) else {
                break;
            };
            seen.push(event["id"].as_str().unwrap().to_owned());
        }
        let ids: Vec<_> = all
            .iter()
            .map(|event| event["id"].as_str().unwrap())
            .collect();
        assert_eq!(seen, ids);
        let path = format!("/activity?subject={id}");
        let about = Ask::get(&path).send(&house.router).await.expect(200);
        let kinds: Vec<_> = about["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["kind"])
            .collect();
        assert_eq!(kinds[0], "workload.created");
        assert_eq!(kinds.len(), 2, "{kinds:?}");
        assert!(
            about["items"][0]["actor"]
                .as_str()
                .is_some_and(|actor| !actor.is_empty())
        );
    })
    .await;
}

#[tokio::test]
async fn live_begins_now_and_continues_after_the_last_one_seen() {
    on_both(async |house| {
        house.deploy("before").await;
        let mut live = Live::open(&house, Ask::get("/activity/live")).await;
        let first = house.deploy("first").await;
        let event = live.next().await;
        assert_eq!(
            (&event["kind"], &event["subject"]),
            (&"workload.created".into(), &first.into())
        );
        drop(live);
        let second = house.deploy("second").await;
        let id = event["id"].as_str().unwrap();
        let again = Ask::get("/activity/live").header("last-event-id", id);
        let mut live = Live::open(&house, again).await;
        assert_eq!(
            live.next().await["subject"],
            second.as_str(),
            "nothing was missed"
        );
        let asked = format!("/activity/live?after={id}&subject={second}");
        let mut live = Live::open(&house, Ask::get(&asked)).await;
        assert_eq!(live.next().await["subject"], second.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_project_hears_only_of_itself() {
    let house = House::on_sqlite().await;
    let blue = house.token(Some("blue"), &["activity:get"]).await;
    let mut live = Live::open(&house, Ask::get("/activity/live").token(&blue)).await;
    house.deploy("theirs").await;
    let digest = house.upload("blue").await;
    let event = live.next().await;
    assert_eq!(event["project"], "blue");
    assert!(event.to_string().contains(&digest), "{event}");
}
