//! A manager on a simulated cluster, called as a client would.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hostler_core::runner::RunnerPool;
use hostler_kubernetes::{Kubernetes, Settings, Started, connect::connect, start};
use hostler_kubesim::{Cluster, Options, Pace, Pool, Timings, View};
use hostler_runners::clock::{Clock, steady};
use hostler_runners::config::{RunnersFile, pools_of};
use hostler_runners::fleet::NoFleet;
use hostler_runners::http::{Token, Tokens, service};
use hostler_runners::manager::{Manager, Parts, Rules};
use hostler_runners::provider::{Provider as _, Snapshot};
use http_body_util::BodyExt as _;
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long any single wait may take.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// How soon after the end of a fault everything is right again.
pub(crate) const AFTER: Duration = Duration::from_secs(2);
const TOKEN: &str = "test-token";
pub(crate) const PLACEHOLDERS: &str = "app=node-placeholder";
pub(crate) const PROGRAMS: &str = "app=daytona-runner";

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.body["pod_names"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        names.iter().map(|name| word(name).to_owned()).collect()
    }

    pub(crate) fn job(&self) -> String {
        let id = word(&self.body["job_id"]);
        assert!(!id.is_empty(), "{self:?}");
        id.to_owned()
    }
}

pub(crate) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The pools of a `runners.toml`.
pub(crate) fn pools(text: &str) -> Result<Vec<Arc<RunnerPool>>> {
    let file = RunnersFile::parse(text).map_err(anyhow::Error::msg)?;
    pools_of(&file).map_err(anyhow::Error::msg)
}

/// What outlives a manager: how it is configured, and what time it is.
pub(crate) struct Home {
    pub(crate) kubeconfig: tempfile::TempPath,
    pub(crate) settings: Settings,
    pub(crate) rules: Rules,
    pub(crate) pools: Vec<Arc<RunnerPool>>,
    ahead: Arc<AtomicI64>,
}

impl Home {
    pub(crate) fn new(kubeconfig: &str) -> Result<Self> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), kubeconfig)?;
        let rules = Rules {
            book_poll: Some(Duration::from_millis(200)),
            ask_patience: Duration::from_secs(5),
            ..Rules::default()
        };
        Ok(Self {
            kubeconfig: file.into_temp_path(),
            settings: Settings::read(|_| None)?,
            rules,
            pools: pools("")?,
            ahead: Arc::default(),
        })
    }

    pub(crate) fn clock(&self) -> Clock {
        let (ahead, real) = (Arc::clone(&self.ahead), steady());
        Arc::new(move || {
            real() + Duration::from_millis(ahead.load(Ordering::SeqCst).unsigned_abs())
        })
    }

    /// A manager with these settings, which has read its jobs.
    pub(crate) async fn live(&self) -> Result<Life> {
        let life = self.begin().await?;
        life.manager.loaded().await;
        life.provider.seen_once().await;
        Ok(life)
    }

    /// The same, on its way.
    pub(crate) async fn begin(&self) -> Result<Life> {
        let client = connect(Some(&self.kubeconfig)).await?;
        let stop = CancellationToken::new();
        let settings = self.settings.clone();
        let Started {
            provider,
            book,
            leads,
        } = start(client.clone(), settings, &self.pools, self.clock(), &stop);
        let manager = Manager::start(
            Parts {
                provider: provider.clone(),
                book,
                fleet: Arc::new(NoFleet::default()),
                pools: self.pools.clone(),
                rules: Rules {
                    name: self.settings.replica.clone(),
                    ..self.rules.clone()
                },
                clock: self.clock(),
                leads: leads.clone(),
            },
            stop.clone(),
        );
        let tokens = Tokens::These(vec![Token::new("ops", TOKEN)?]);
        let router = service(manager.clone(), &Arc::new(tokens), None);
        Ok(Life {
            client,
            provider,
            manager,
            leads,
            stop,
            router,
        })
    }
}

/// One manager, from its start to its end.
pub(crate) struct Life {
    pub(crate) client: Client,
    pub(crate) provider: Arc<Kubernetes>,
    pub(crate) manager: Manager,
    pub(crate) leads: watch::Receiver<bool>,
    pub(crate) stop: CancellationToken,
    router: Router,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Life {
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str, key: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", format!("Bearer {TOKEN}"));
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "", "").await
    }

    pub(crate) async fn add(&self, count: usize) -> Answer {
        let answer = self.ask(count, "").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }

    pub(crate) async fn ask(&self, count: usize, key: &str) -> Answer {
        let body = json!({"instances": count}).to_string();
        self.call("POST", "/runners/add", &body, key).await
    }

    pub(crate) async fn remove(&self, names: &[String]) -> Answer {
        let body = json!({"runner_ids": names}).to_string();
        self.call("POST", "/runners/remove", &body, "").await
    }

    /// Its status and the code of its reason.
    pub(crate) async fn status(&self, name: &str) -> (String, String) {
        let runner = self.get(&format!("/runners/{name}")).await.body;
        let code = word(&runner["reason"]["code"]).to_owned();
        (word(&runner["status"]).to_owned(), code)
    }

    /// Waits until all of these are so.
    pub(crate) async fn all(&self, names: &[String], status: &str) -> Result<()> {
        self.all_within(names, status, SOON).await
    }

    pub(crate) async fn all_within(
        &self,
        names: &[String],
        status: &str,
        limit: Duration,
    ) -> Result<()> {
        for name in names {
            self.until(limit, &format!("/runners/{name}"), |body| {
                body["status"] == status
            })
            .await?;
        }
        Ok(())
    }

    /// Waits until what is there is so.
    pub(crate) async fn until(
        &self,
        limit: Duration,
        path: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let began = Instant::now();
        loop {
            let body = self.get(path).await.body;
            if is_so(&body) {
                return Ok(body);
            }
            anyhow::ensure!(began.elapsed() < limit, "{path} still is {body:#}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn job(&self, id: &str, status: &str) -> Result<Value> {
        self.until(SOON, &format!("/jobs/{id}"), |job| job["status"] == status)
            .await
    }

    /// Waits until a snapshot is so.
    pub(crate) async fn seen(&self, is_so: impl Fn(&Snapshot) -> bool) -> Result<Arc<Snapshot>> {
        let mut seen = self.provider.snapshots();
        let found = tokio::time::timeout(SOON, seen.wait_for(|seen| is_so(seen))).await;
        Ok(found.context("the snapshot is not so")??.clone())
    }

    /// Ends it as a kill would: nothing is said to anybody.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.manager.join().await;
    }
}

/// A simulated cluster and the home of its managers.
pub(crate) struct Rig {
    pub(crate) cluster: Cluster,
    pub(crate) home: Home,
}

impl Rig {
    /// One where everything happens at once.
    pub(crate) async fn instant(max: usize) -> Result<Self> {
        let pool = Pool {
            boot: Some(Duration::ZERO),
            ready: Some(Duration::ZERO),
            ..Pool::runners(max)
        };
        Self::of(Options {
            pools: vec![pool],
            timings: Timings::instant(),
            ..Options::default()
        })
        .await
    }

    /// One whose time is stepped.
    pub(crate) async fn stepped(max: usize) -> Result<Self> {
        Self::of(Options {
            pace: Pace::Stepped,
            pools: vec![Pool::runners(max)],
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn of(options: Options) -> Result<Self> {
        let cluster = Cluster::start(options).await?;
        let home = Home::new(&cluster.kubeconfig("admin", "default"))?;
        let rig = Self { cluster, home };
        rig.make("/apis/apps/v1/namespaces/default/daemonsets", programs())
            .await?;
        Ok(rig)
    }

    /// The next manager works as this user.
    pub(crate) fn work_as(&mut self, user: &str) -> Result<()> {
        self.home.kubeconfig = Home::new(&self.cluster.kubeconfig(user, "default"))?.kubeconfig;
        Ok(())
    }

    pub(crate) async fn admin(&self) -> Result<Client> {
        let home = Home::new(&self.cluster.kubeconfig("admin", "default"))?;
        Ok(connect(Some(&home.kubeconfig)).await?)
    }

    pub(crate) async fn make(&self, path: &str, body: Value) -> Result<()> {
        make(&self.admin().await?, path, &body).await
    }

    pub(crate) async fn until(&self, holds: impl Fn(&View<'_>) -> bool) -> Result<()> {
        Ok(self.cluster.wait_until(SOON, holds).await?)
    }

    pub(crate) fn count(&self) -> usize {
        self.cluster.look(|view| view.pods(PLACEHOLDERS).len())
    }

    /// Runners at work, and their names.
    pub(crate) async fn at_work(&self, life: &Life, count: usize) -> Result<Vec<String>> {
        let names = life.add(count).await.names();
        life.all(&names, "ready").await?;
        Ok(names)
    }

    /// One runner at work, where time is stepped.
    pub(crate) async fn grown(&self, life: &Life) -> Result<Vec<String>> {
        let names = life.add(1).await.names();
        self.cluster.step(Duration::from_secs(11));
        self.cluster.step(Duration::from_mins(1));
        life.all(&names, "ready").await?;
        Ok(names)
    }

    /// Waits until this many cases of a request have come.
    pub(crate) async fn requested(&self, verb: &str, plural: &str, most: u64) -> Result<()> {
        let began = Instant::now();
        while self.cluster.requests(verb, plural) < most {
            anyhow::ensure!(began.elapsed() < SOON, "{:?}", self.cluster.all_requests());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// Creates something.
pub(crate) async fn make(client: &Client, path: &str, body: &Value) -> Result<()> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(body.to_string().into_bytes())?;
    let _made: Value = client.request(request).await?;
    Ok(())
}

/// The node that a runner is on.
pub(crate) async fn node_of(life: &Life, name: &str) -> String {
    let runner = life.get(&format!("/runners/{name}")).await.body;
    word(&runner["metadata"]["node_name"]).to_owned()
}

/// The `DaemonSet` whose pods are the runner programs.
pub(crate) fn programs() -> Value {
    let labels = json!({"app": "daytona-runner"});
    json!({
        "metadata": {"name": "daytona-runner"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "nodeSelector": {"daytona-sandbox-c": "true"},
                "tolerations": [{"key": "sandbox", "operator": "Exists"}],
                "containers": [{"name": "runner", "image": "runner:1"}],
            }},
        },
    })
}
