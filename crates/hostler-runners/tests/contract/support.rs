//! A manager over a fake provider, called as a client would.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use hostler_core::Timestamp;
use hostler_core::runner::{RunnerId, RunnerPool};
use hostler_runners::clock::Clock;
use hostler_runners::config::{RunnersFile, pools_of};
use hostler_runners::fleet::{Fleet, NoFleet};
use hostler_runners::http::{Token, Tokens, service};
use hostler_runners::jobs::{JobBook, MemoryBook};
use hostler_runners::manager::{Manager, Parts, Rules};
use hostler_runners::provider::fake::Fake;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub(crate) const TOKEN: &str = "test-token";
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The runner ids in it.
    pub(crate) fn ids(&self) -> Vec<RunnerId> {
        let names = self.body["pod_names"].as_array().expect("pod_names");
        names
            .iter()
            .map(|name| name.as_str().unwrap().parse().unwrap())
            .collect()
    }

    pub(crate) fn job(&self) -> String {
        self.body["job_id"].as_str().expect("a job").to_owned()
    }
}

/// A manager, its provider and its book; the latter two outlive it.
pub(crate) struct House {
    pub(crate) fake: Fake,
    pub(crate) book: Arc<MemoryBook>,
    pub(crate) fleet: Arc<dyn Fleet>,
    pub(crate) rules: Rules,
    pub(crate) pools: Vec<Arc<RunnerPool>>,
    pub(crate) stop: CancellationToken,
    time: Arc<AtomicI64>,
    manager: Option<Manager>,
    router: Option<Router>,
}

impl House {
    /// A manager as it is without any configuration.
    pub(crate) async fn usual() -> Self {
        Self::with(|_| ()).await
    }

    /// One with other rules.
    pub(crate) async fn with(change: impl FnOnce(&mut Rules)) -> Self {
        Self::of(change, "", Arc::new(NoFleet::default())).await
    }

    /// One with other rules, these pools and this fleet.
    pub(crate) async fn of(
        change: impl FnOnce(&mut Rules),
        pools: &str,
        fleet: Arc<dyn Fleet>,
    ) -> Self {
        let time = Arc::new(AtomicI64::new(1_000_000));
        let mut rules = Rules::default();
        change(&mut rules);
        let mut house = Self {
            fake: Fake::new(clock(&time)),
            book: Arc::default(),
            fleet,
            rules,
            pools: pools_of(&RunnersFile::parse(pools).unwrap()).unwrap(),
            stop: CancellationToken::new(),
            time,
            manager: None,
            router: None,
        };
        house.start().await;
        house
    }

    /// Starts the manager, or the next one after its death.
    pub(crate) async fn start(&mut self) {
        self.stop = CancellationToken::new();
        let book: Arc<dyn JobBook> = self.book.clone();
        let parts = Parts {
            provider: Arc::new(self.fake.clone()),
            book,
            fleet: Arc::clone(&self.fleet),
            pools: self.pools.clone(),
            rules: self.rules.clone(),
            clock: clock(&self.time),
            leads: watch::channel(true).1,
        };
        let manager = Manager::start(parts, self.stop.clone());
        manager.loaded().await;
        let tokens = Tokens::These(vec![Token::new("ops", TOKEN).unwrap()]);
        self.router = Some(service(manager.clone(), &Arc::new(tokens), None));
        self.manager = Some(manager);
    }

    /// Ends the manager where it is, and starts the next.
    pub(crate) async fn restart(&mut self) {
        self.stop.cancel();
        self.manager().join().await;
        self.start().await;
    }

    pub(crate) fn manager(&self) -> &Manager {
        self.manager.as_ref().unwrap()
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone().unwrap()
    }

    /// Lets so many seconds pass.
    pub(crate) fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1_000, Ordering::SeqCst);
        self.manager().wake();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "", &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.call("POST", path, body, &[]).await
    }

    pub(crate) async fn add(&self, count: u32) -> Answer {
        let answer = self
            .post("/runners/add", &format!(r#"{{"instances": {count}}}"#))
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }

    /// A request with the token.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let authorization = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend(headers);
        call(self.router(), method, path, body, &all).await
    }

    /// The runner as it is shown.
    pub(crate) async fn runner(&self, id: &RunnerId) -> Value {
        self.get(&format!("/runners/{id}")).await.body
    }

    /// Its status and the code of its reason.
    pub(crate) async fn status(&self, id: &RunnerId) -> (String, String) {
        let runner = self.runner(id).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&runner["status"]), text(&runner["reason"]["code"]))
    }

    /// Waits until the job says so.
    pub(crate) async fn job_until(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let job = self.get(&format!("/jobs/{id}")).await.body;
            if is_so(&job) {
                return job;
            }
            assert!(began.elapsed() < PATIENCE, "still {job:#}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until the job has this status.
    pub(crate) async fn job_is(&self, id: &str, status: &str) -> Value {
        self.job_until(id, |job| job["status"] == status).await
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "{:#?}", self.fake.calls());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn clock(time: &Arc<AtomicI64>) -> Clock {
    let time = Arc::clone(time);
    Arc::new(move || Timestamp::from_ms(time.load(Ordering::SeqCst)))
}

/// A request, without anything that is not said.
pub(crate) async fn call(
    router: Router,
    method: &str,
    path: &str,
    body: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        body,
    }
}

/// What was logged on this thread while this is held.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Log {
    pub(crate) fn start() -> Self {
        let lines: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer = Arc::clone(&lines);
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || Pen(Arc::clone(&writer)))
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.lines.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

struct Pen(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
