//! A small identity provider: discovery, keys, tokens that it signs with a real
//! key. It checks what a real one checks (client, secret, redirect address,
//! PKCE, a code once) and can be told to lie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use data_encoding::BASE64URL_NOPAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const CLIENT: &str = "hostler";
const SECRET: &str = "the client's secret";

/// What the provider's token says wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lie {
    #[default]
    None,
    OtherNonce,
    OtherAudience,
    OtherIssuer,
    Expired,
    OtherKey,
    Unsigned,
    SignedWithSecret,
}

/// Somebody at the provider.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) subject: &'static str,
    pub(crate) name: &'static str,
    pub(crate) groups: Vec<&'static str>,
}

/// Who, and what was asked when they were sent.
type Known = (Person, HashMap<String, String>);

/// A running provider.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    issuer: String,
    key: EcdsaKeyPair,
    lie: Mutex<Lie>,
    /// What each code stands for: who, with which nonce and challenge.
    codes: Mutex<HashMap<String, Known>>,
}

fn key() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).unwrap()
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self(Arc::new(Inner {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: key(),
            lie: Mutex::default(),
            codes: Mutex::default(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn options(&self) -> hostler_oidc::OidcOptions {
        hostler_oidc::OidcOptions {
            issuer: self.0.issuer.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(SECRET.to_owned()),
            redirect_url: "http://control.test/auth/oidc/callback".to_owned(),
            scopes: vec!["profile".to_owned()],
            groups_claim: "groups".to_owned(),
        }
    }

    pub(crate) fn lie(&self, lie: Lie) {
        *self.0.lie.lock().unwrap() = lie;
    }

    /// Somebody signs in at the address to which they were sent; where the
    /// browser is sent back to.
    pub(crate) fn sign_in(&self, url: &str, who: &Person) -> String {
        let (place, query) = url.split_once('?').unwrap();
        assert_eq!(place, format!("{}/authorize", self.0.issuer));
        let asked: HashMap<String, String> = form(query);
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].contains("openid") && asked["scope"].contains("profile"));
        let code = format!("code-{}", uuid::Uuid::now_v7());
        let back = format!("/auth/oidc/callback?state={}&code={code}", asked["state"]);
        let known = (who.clone(), asked);
        self.0.codes.lock().unwrap().insert(code, known);
        back
    }

    fn id_token(&self, who: &Person, nonce: &str) -> String {
        let lie = *self.0.lie.lock().unwrap();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let or = |is: Lie, wrong: &str, right: &str| {
            if lie == is {
                wrong.to_owned()
            } else {
                right.to_owned()
            }
        };
        let end = if lie == Lie::Expired {
            now - 3_600
        } else {
            now + 300
        };
        let claims = json!({
            "iss": or(Lie::OtherIssuer, "http://evil.test", &self.0.issuer),
            "aud": or(Lie::OtherAudience, "another", CLIENT),
            "nonce": or(Lie::OtherNonce, "another", nonce),
            "sub": who.subject, "iat": now, "exp": end,
            "preferred_username": who.name, "groups": who.groups,
        });
        let header = match lie {
            Lie::Unsigned => json!({"alg": "none"}),
            Lie::SignedWithSecret => json!({"alg": "HS256"}),
            _ => json!({"alg": "ES256", "kid": "1"}),
        };
        let part = |value: &Value| BASE64.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        format!(
            "{signed}.{}",
            BASE64.encode(&self.sign(lie, signed.as_bytes()))
        )
    }

    fn sign(&self, lie: Lie, bytes: &[u8]) -> Vec<u8> {
        let sign = |key: &EcdsaKeyPair| {
            let signature = key.sign(&SystemRandom::new(), bytes).unwrap();
            signature.as_ref().to_vec()
        };
        match lie {
            Lie::Unsigned => Vec::new(),
            Lie::OtherKey => sign(&key()),
            Lie::SignedWithSecret => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
                ring::hmac::sign(&key, bytes).as_ref().to_vec()
            }
            _ => sign(&self.0.key),
        }
    }
}

fn form(query: &str) -> HashMap<String, String> {
    let uri = format!("http://x/?{query}").parse().unwrap();
    let query = axum::extract::Query::<HashMap<String, String>>::try_from_uri(&uri);
    query.unwrap().0
}

async fn discovery(State(Provider(provider)): State<Provider>) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    }))
}

async fn keys(State(Provider(provider)): State<Provider>) -> Json<Value> {
    let public = provider.key.public_key().as_ref();
    let (x, y) = public[1..].split_at(32);
    let (x, y) = (BASE64.encode(x), BASE64.encode(y));
    let key = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
        "x": x, "y": y});
    Json(json!({"keys": [key]}))
}

async fn token(
    State(provider): State<Provider>,
    headers: axum::http::HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let refused = |why: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": why})));
    let basic = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    if !basic.is_some_and(|basic| basic.starts_with("Basic ")) {
        return refused("invalid_client");
    }
    let known = provider.0.codes.lock().unwrap().remove(&asked["code"]);
    let Some((who, begun)) = known else {
        return refused("invalid_grant");
    };
    let challenge = BASE64.encode(&Sha256::digest(&asked["code_verifier"]));
    if challenge != begun["code_challenge"] || asked["redirect_uri"] != begun["redirect_uri"] {
        return refused("invalid_grant");
    }
    let id_token = provider.id_token(&who, &begun["nonce"]);
    let answer = json!({"access_token": "unused", "token_type": "Bearer", "id_token": id_token});
    (StatusCode::OK, Json(answer))
}
