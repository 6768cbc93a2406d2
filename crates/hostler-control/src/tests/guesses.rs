//! Wrong tokens, one after the other: their sender is asked to wait, and nobody
//! else.

use std::time::Duration;

use hostler_core::access::GUESSES_AT_ONCE;

use crate::testing::{ADMIN, Answer, Ask, House};

const HERE: &str = "127.0.0.1";

async fn try_token(house: &House, secret: &str, address: &str) -> Answer {
    let ask = Ask::get("/slaves").token(secret).from(address);
    ask.send(&house.router).await
}

/// Sends as many wrong tokens as are answered plainly.
async fn guess(house: &House) {
    for number in 0..GUESSES_AT_ONCE {
        let answer = try_token(house, &format!("guess {number}"), HERE).await;
        answer.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn who_sends_many_wrong_tokens_is_asked_to_wait() {
    let house = House::on_sqlite().await;
    guess(&house).await;
    let answer = try_token(&house, "one more", HERE).await;
    assert_eq!(answer.headers["retry-after"], "1");
    answer.refused(429, "too_many");
    house.wait(Duration::from_secs(1));
    let answer = try_token(&house, "after a while", HERE).await;
    answer.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_right_token_is_admitted_whatever_its_neighbours_send() {
    let house = House::on_sqlite().await;
    guess(&house).await;
    try_token(&house, "wrong", HERE)
        .await
        .refused(429, "too_many");
    try_token(&house, ADMIN, HERE).await.expect(200);
    let fresh = house.token(None, &["nodes:get"]).await;
    try_token(&house, &fresh, HERE).await.expect(200);
    let elsewhere = try_token(&house, "wrong", "10.0.0.7").await;
    elsewhere.refused(401, "unauthenticated");
}

#[tokio::test]
async fn who_shows_no_token_or_a_node_key_is_told_so_each_time() {
    let house = House::on_sqlite().await;
    for _ in 0..3 * GUESSES_AT_ONCE {
        let bare = Ask::get("/slaves").anonymous().from(HERE);
        bare.send(&house.router)
            .await
            .refused(401, "unauthenticated");
        let node = Ask::post("/slaves/heartbeat").key("no longer").from(HERE);
        node.send(&house.router)
            .await
            .refused(401, "unauthenticated");
    }
}
