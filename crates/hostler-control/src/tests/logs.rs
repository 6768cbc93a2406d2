//! What workloads wrote, read back from a real JetStream.

use axum::body::BodyDataStream;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::logs::{NatsAuth, NatsOptions};
use crate::testing::{Ask, House, NatsServer};

async fn house_with(server: &NatsServer) -> House {
    let nats = NatsOptions {
        url: server.url.clone(),
        auth: NatsAuth::Open,
    };
    let mut house = House::with(|options| options.nats = Some(nats)).await;
    house.keep_stream().await;
    house
}

async fn publish(server: &NatsServer, subject: &str, text: &str) {
    let client = async_nats::connect(&server.url).await.unwrap();
    let stream = async_nats::jetstream::new(client);
    let line = json!({"text": text, "level": "INFO", "id": "slot"}).to_string();
    let sent = stream
        .publish(subject.to_owned(), line.into())
        .await
        .unwrap();
    sent.await.unwrap();
}

fn texts(lines: &Value) -> Vec<&str> {
    lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_last_lines_of_one_workload_are_found_among_many() {
    let server = NatsServer::start().await;
    let house = house_with(&server).await;
    let id = house.deploy("echo").await;
    publish(&server, "$NEX.logs.default.N1.echo.s1", "one\n").await;
    publish(&server, "$NEX.logs.default.N2.echo.s2", "two\n").await;
    publish(&server, "$NEX.logs.other.N1.echo.s3", "not ours\n").await;
    for number in 0..30 {
        publish(
            &server,
            "$NEX.logs.default.N1.noise.s4",
            &format!("{number}\n"),
        )
        .await;
    }
    let tail = async |count: u32| {
        let path = format!("/workloads/{id}/logs?tail={count}");
        Ask::get(&path).send(&house.router).await.expect(200)
    };
    let lines = tail(10).await;
    assert_eq!(texts(&lines), ["one\n", "two\n"]);
    assert_eq!(lines[1]["slot"], "s2");
    assert_eq!(texts(&tail(1).await), ["two\n"]);
    assert_eq!(tail(0).await, json!([]));
}

#[tokio::test]
async fn following_gives_the_last_lines_and_then_every_further_one() {
    let server = NatsServer::start().await;
    let house = house_with(&server).await;
    let id = house.deploy("echo").await;
    for text in ["old\n", "last\n"] {
        publish(&server, "$NEX.logs.default.N1.echo.s1", text).await;
    }
    let path = format!("/workloads/{id}/logs?tail=1&follow=1");
    let response = Ask::get(&path).open(&house.router).await;
    let mut body = response.into_body().into_data_stream();
    assert_eq!(next(&mut body).await, "last\n");
    publish(&server, "$NEX.logs.default.N1.echo.s1", "new\n").await;
    assert_eq!(next(&mut body).await, "new\n");
}

async fn next(body: &mut BodyDataStream) -> String {
    let patience = std::time::Duration::from_secs(20);
    let event = tokio::time::timeout(patience, async {
        loop {
            let chunk = body.next().await.unwrap().unwrap();
            let text = std::str::from_utf8(&chunk).unwrap();
            if let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) {
                let line: Value = serde_json::from_str(data).unwrap();
                return line["text"].as_str().unwrap().to_owned();
            }
        }
    });
    event.await.unwrap()
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_not_an_error_of_ours() {
    let nats = NatsOptions {
        url: "nats://127.0.0.1:1".to_owned(),
        auth: NatsAuth::Open,
    };
    let house = House::with(|options| options.nats = Some(nats)).await;
    let id = house.deploy("echo").await;
    let path = format!("/workloads/{id}/logs");
    Ask::get(&path)
        .send(&house.router)
        .await
        .refused(503, "unavailable");
}
