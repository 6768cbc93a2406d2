//! Signing in at an identity provider, against a small real one.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::users::user;
use crate::oidc::SignInOptions;
use crate::testing::{Answer, Ask, House, Lie, Person, Provider};

const BACK: &str = "http://127.0.0.1:4711/done";
const VERIFIER: &str = "what the client kept";

fn ada(groups: &[&'static str]) -> Person {
    Person {
        subject: "subject-1",
        name: "Ada@Example.org",
        groups: groups.to_vec(),
    }
}

async fn house() -> (House, Provider) {
    let provider = Provider::start().await;
    let options = SignInOptions {
        provider: provider.options(),
        groups: ["staff=user", "chiefs=admin", "lab=viewer@default"]
            .map(|text| text.parse().unwrap())
            .to_vec(),
    };
    let house = House::with(|house| house.sign_in = Some(options)).await;
    (house, provider)
}

/// Where a browser is sent.
async fn begin(house: &House) -> String {
    let challenge = HEXLOWER.encode(&Sha256::digest(VERIFIER));
    let body = json!({"return_to": BACK, "challenge": challenge});
    let begun = Ask::post("/auth/oidc/begin").anonymous().json(&body);
    let begun = begun.send(&house.router).await.expect(200);
    begun["url"].as_str().unwrap().to_owned()
}

/// What the browser gets when it comes back.
async fn come_back(house: &House, provider: &Provider, who: &Person) -> Answer {
    let back = provider.sign_in(&begin(house).await, who);
    Ask::get(&back).anonymous().send(&house.router).await
}

fn code(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.bytes);
    assert_eq!(answer.status, 303, "{text}");
    let place = answer.headers["location"].to_str().unwrap();
    place
        .strip_prefix(&format!("{BACK}?code="))
        .unwrap()
        .to_owned()
}

async fn redeem(house: &House, code: &str, verifier: &str) -> Answer {
    let body = json!({"code": code, "verifier": verifier});
    let ask = Ask::post("/auth/oidc/redeem").anonymous().json(&body);
    ask.send(&house.router).await
}

/// Who somebody is after signing in.
async fn me(house: &House, provider: &Provider, who: &Person) -> Value {
    let code = code(&come_back(house, provider, who).await);
    let begun = redeem(house, &code, VERIFIER).await.expect(200);
    let secret = begun["access_token"].as_str().unwrap();
    let me = Ask::get("/auth/me").token(secret).send(&house.router).await;
    me.expect(200)
}

#[tokio::test]
async fn who_is_vouched_for_signs_in_with_what_their_groups_give() {
    let (house, provider) = house().await;
    let first = me(&house, &provider, &ada(&["staff", "lab", "strangers"])).await;
    assert_eq!(first["user"], "ada@example.org");
    assert_eq!(first["roles"], json!(["user"]));
    assert_eq!(
        first["projects"],
        json!([{"project": "default", "role": "viewer"}])
    );
    let more = me(&house, &provider, &ada(&["chiefs"])).await;
    assert_eq!(
        (&more["id"], &more["is_admin"]),
        (&first["id"], &json!(true))
    );
    assert_eq!(more["projects"], json!([]));
    let login = json!({"username": "ada@example.org", "password": ""});
    let login = Ask::post("/auth/login").anonymous().json(&login);
    login
        .send(&house.router)
        .await
        .refused(401, "unauthenticated");
    let none = come_back(&house, &provider, &ada(&["strangers"])).await;
    none.refused(401, "unauthenticated");
    let users = Ask::get("/users").send(&house.router).await.expect(200);
    assert_eq!(
        users[0]["roles"],
        json!([]),
        "what groups no longer give is gone"
    );
    let eve = Person {
        subject: "2",
        name: "eve",
        groups: vec![],
    };
    come_back(&house, &provider, &eve)
        .await
        .refused(401, "unauthenticated");
    let users = Ask::get("/users").send(&house.router).await.expect(200);
    assert_eq!(
        users.as_array().unwrap().len(),
        1,
        "strangers leave no trace"
    );
}

#[tokio::test]
async fn a_token_that_proves_nothing_signs_nobody_in() {
    let (house, provider) = house().await;
    let lies = [
        Lie::OtherNonce,
        Lie::OtherAudience,
        Lie::OtherIssuer,
        Lie::Expired,
        Lie::OtherKey,
        Lie::Unsigned,
        Lie::SignedWithSecret,
    ];
    for lie in lies {
        provider.lie(lie);
        let answer = come_back(&house, &provider, &ada(&["chiefs"])).await;
        assert_eq!(answer.status, 401, "{lie:?}");
        answer.refused(401, "unauthenticated");
    }
    provider.lie(Lie::None);
    code(&come_back(&house, &provider, &ada(&["chiefs"])).await);
}

#[tokio::test]
async fn state_and_code_are_good_once_and_only_together_with_the_verifier() {
    let (house, provider) = house().await;
    let back = provider.sign_in(&begin(&house).await, &ada(&["staff"]));
    let forged = back.replace("state=", "state=x");
    let forged = Ask::get(&forged).anonymous().send(&house.router).await;
    forged.refused(401, "unauthenticated");
    let first = code(&Ask::get(&back).anonymous().send(&house.router).await);
    let again = Ask::get(&back).anonymous().send(&house.router).await;
    again.refused(401, "unauthenticated");
    redeem(&house, &first, "a guess")
        .await
        .refused(401, "unauthenticated");
    redeem(&house, "a guess", VERIFIER)
        .await
        .refused(401, "unauthenticated");
    redeem(&house, &first, VERIFIER).await.expect(200);
    redeem(&house, &first, VERIFIER)
        .await
        .refused(401, "unauthenticated");
    let second = code(&come_back(&house, &provider, &ada(&["staff"])).await);
    house.wait(std::time::Duration::from_mins(10));
    redeem(&house, &second, VERIFIER)
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn nobody_is_taken_over_by_name_and_who_is_disabled_stays_out() {
    let (house, provider) = house().await;
    user(&house, "ada@example.org", &["admin"]).await;
    let answer = come_back(&house, &provider, &ada(&["staff"])).await;
    answer.refused(409, "conflict");
    let bob = Person {
        subject: "2",
        name: "bob",
        groups: vec!["staff"],
    };
    let who = me(&house, &provider, &bob).await;
    let path = format!("/users/{}", who["id"].as_str().unwrap());
    let off = Ask::new(axum::http::Method::PATCH, &path).json(&json!({"disabled": true}));
    off.send(&house.router).await.expect(200);
    come_back(&house, &provider, &bob)
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_else() {
    let (house, _provider) = house().await;
    let challenge = HEXLOWER.encode(&Sha256::digest(VERIFIER));
    for (back, challenge) in [("https://evil.test/", challenge.as_str()), (BACK, "short")] {
        let body = json!({"return_to": back, "challenge": challenge});
        let begun = Ask::post("/auth/oidc/begin").anonymous().json(&body);
        begun.send(&house.router).await.refused(422, "invalid");
    }
    let house = House::on_sqlite().await;
    let body = json!({"return_to": BACK, "challenge": challenge});
    let none = Ask::post("/auth/oidc/begin").anonymous().json(&body);
    none.send(&house.router).await.refused(503, "unavailable");
}
