//! A manager over the provider over moto, called as a client would.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hostler_aws::{Aws, Parts, Settings, connect, start};
use hostler_runners::clock;
use hostler_runners::config::{RunnersFile, pools_of};
use hostler_runners::fleet::NoFleet;
use hostler_runners::http::{Token, Tokens, service};
use hostler_runners::jobs::JobBook;
use hostler_runners::manager::{Manager, Parts as ManagerParts, Rules};
use hostler_runners::provider::Provider;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::book::Book;
use crate::layer::Layer;
use crate::moto::Moto;

const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const FLEET: &str = "fleet-1";

/// One pool from the template `node`.
pub(crate) const USUAL: &str = "[aws.pool.default]\nlaunch_template = 'node'\n";

/// A manager; moto and the book outlive it.
pub(crate) struct House {
    pub(crate) moto: Moto,
    pub(crate) layer: Layer,
    pub(crate) aws: Arc<Aws>,
    pub(crate) rules: Rules,
    text: String,
    pub(crate) book: Arc<Book>,
    manager: Manager,
    router: Router,
    stop: CancellationToken,
}

impl House {
    /// A manager with the pools of this text, over a moto with a template
    /// `node` and a group `many`.
    pub(crate) async fn of(pools: &str) -> Self {
        Self::with(pools, Rules::default()).await
    }

    pub(crate) async fn with(pools: &str, rules: Rules) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let moto = Moto::start();
        moto.template("node").await;
        moto.group("many", FLEET).await;
        let layer = Layer::start(&moto.url).await;
        let text = format!(
            "[aws]\nfleet = '{FLEET}'\nregion = 'eu-west-1'\nendpoint = '{}'\n\
             poll_ms = 300\npoll_least_ms = 50\nsuspect_ms = 800\n{pools}",
            layer.url
        );
        let book = Arc::new(Book::default());
        let stop = CancellationToken::new();
        let (aws, manager) = open(&text, &book, &rules, &stop).await;
        let router = router(&manager);
        Self {
            moto,
            layer,
            aws,
            rules,
            text,
            book,
            manager,
            router,
            stop,
        }
    }

    /// Ends the manager and its provider where they are.
    pub(crate) async fn die(&mut self) {
        self.stop.cancel();
        self.manager.join().await;
    }

    /// The next life, on the same book.
    pub(crate) async fn live(&mut self) {
        self.stop = CancellationToken::new();
        (self.aws, self.manager) = open(&self.text, &self.book, &self.rules, &self.stop).await;
        self.router = router(&self.manager);
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, "").await.1
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.call("POST", path, body).await
    }

    /// Adds so many, to the default pool; the job, and its runners.
    pub(crate) async fn add(&self, count: u32) -> (String, Vec<String>) {
        let (status, body) = self
            .post("/runners/add", &format!(r#"{{"instances": {count}}}"#))
            .await;
        assert_eq!(status, 201, "{body}");
        let names = body["pod_names"].as_array().unwrap();
        let names = names.iter().map(|name| name.as_str().unwrap().to_owned());
        (body["job_id"].as_str().unwrap().to_owned(), names.collect())
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer token")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    /// Waits until what is at this path is so.
    pub(crate) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let found = self.get(path).await;
            if is_so(&found) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "still {found:#}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn job_is(&self, job: &str, status: &str) -> Value {
        self.until(&format!("/jobs/{job}"), |job| job["status"] == status)
            .await
    }

    pub(crate) async fn runner_is(&self, id: &str, status: &str) -> Value {
        self.until(&format!("/runners/{id}"), |runner| {
            runner["status"] == status
        })
        .await
    }

    /// The fleet's instances that live.
    pub(crate) async fn living(&self) -> Vec<String> {
        self.moto.living("hostler:fleet", FLEET).await
    }

    /// Waits until so many of the fleet's instances live.
    pub(crate) async fn living_are(&self, count: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let found = self.living().await;
            if found.len() == count {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "still {found:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn open(
    text: &str,
    book: &Arc<Book>,
    rules: &Rules,
    stop: &CancellationToken,
) -> (Arc<Aws>, Manager) {
    let file = RunnersFile::parse(text).unwrap();
    let pools = pools_of(&file).unwrap();
    let settings = Settings::read(&file.rest, |_| None).unwrap();
    let parts = Parts {
        cloud: connect(&settings).await.unwrap(),
        settings,
        pools: pools.clone(),
        book: Some(shared(book)),
        leads: watch::channel(true).1,
        clock: clock::steady(),
    };
    let aws = start(parts, stop);
    aws.seen_once().await;
    let provider: Arc<dyn Provider> = aws.clone();
    let parts = ManagerParts {
        provider,
        book: shared(book),
        fleet: Arc::new(NoFleet::default()),
        pools,
        rules: rules.clone(),
        clock: clock::steady(),
        leads: watch::channel(true).1,
    };
    let manager = Manager::start(parts, stop.clone());
    manager.loaded().await;
    (aws, manager)
}

fn shared(book: &Arc<Book>) -> Arc<dyn JobBook> {
    Arc::<Book>::clone(book)
}

fn router(manager: &Manager) -> Router {
    let tokens = Tokens::These(vec![Token::new("ops", "token").unwrap()]);
    service(manager.clone(), &Arc::new(tokens), None)
}
