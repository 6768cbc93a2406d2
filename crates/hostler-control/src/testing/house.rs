//! A control plane for one test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use hostler_core::vm::qcow2;
use hostler_core::{Bytes, Timestamp};
use hostler_store::testing::Postgres;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Ask, elf};
use crate::control::{Parts, open};
use crate::http::api;
use crate::logs::LogStream;
use crate::nodes;
use crate::options::ControlOptions;
use crate::passes::{
    Housekeeping, Nodes, Operations, Outcome, Pass, Scaling, StrayPass, Vms, Workloads,
};
use crate::state::App;

/// The administrator's token.
pub(crate) const ADMIN: &str = "the administrators own token";

/// A control plane whose time and passes are the test's.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) router: Router,
    clock: Arc<AtomicI64>,
    workloads: Workloads,
    vms: Vms,
    strays: StrayPass,
    nodes: Nodes,
    operations: Operations,
    housekeeping: Housekeeping,
    scaling: Scaling,
    logs: Option<LogStream>,
    pub(crate) folder: TempDir,
    _stop: DropGuard,
    _postgres: Option<Arc<Postgres>>,
}

/// Runs a test on SQLite and then on PostgreSQL.
pub(crate) async fn on_both(test: impl AsyncFn(House)) {
    test(House::on_sqlite().await).await;
    test(House::on_postgres().await).await;
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(20), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(patience.await.is_ok(), "not so after 20 s: {what}");
}

impl House {
    /// In a folder of its own.
    pub(crate) async fn on_sqlite() -> Self {
        Self::build(|_| {}, None).await
    }

    /// In a database of its own.
    pub(crate) async fn on_postgres() -> Self {
        Self::with_postgres(|_| {}).await
    }

    /// In a database of its own, with other options.
    pub(crate) async fn with_postgres(change: impl FnOnce(&mut ControlOptions)) -> Self {
        let postgres = Postgres::shared().unwrap();
        let url = postgres.database().unwrap();
        let change = |options: &mut ControlOptions| {
            change(options);
            options.database_url = url;
        };
        Self::build(change, Some(postgres)).await
    }

    /// On SQLite, with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut ControlOptions)) -> Self {
        Self::build(change, None).await
    }

    async fn build(
        change: impl FnOnce(&mut ControlOptions),
        postgres: Option<Arc<Postgres>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_750_000_000_000));
        let now = Arc::clone(&clock);
        let mut options = ControlOptions::new(folder.path().to_owned());
        options.api_token = Some(ADMIN.to_owned());
        options.heartbeat = Duration::from_secs(10);
        options.artifacts.largest = 64 << 10;
        options.artifacts.largest_image = 1 << 20;
        options.clock = Arc::new(move || Timestamp::from_ms(now.load(Ordering::Relaxed)));
        change(&mut options);
        let stop = CancellationToken::new();
        let Parts {
            app,
            incoming,
            logs,
        } = open(&options, stop.clone()).await.unwrap();
        tokio::spawn(nodes::answers(app.clone(), incoming));
        Self {
            router: api(app.clone()),
            clock,
            workloads: Workloads::new(app.clone()),
            vms: Vms::new(app.clone()),
            strays: StrayPass(app.clone()),
            nodes: Nodes::new(app.clone()),
            operations: Operations(app.clone()),
            scaling: Scaling::new(app.clone()),
            housekeeping: Housekeeping::new(app.clone(), options.artifacts.grace),
            app,
            logs,
            folder,
            _stop: stop.drop_guard(),
            _postgres: postgres,
        }
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, span: Duration) {
        let ms = i64::try_from(span.as_millis()).unwrap();
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// Runs the passes, and waits for what they ordered, until there is
    /// nothing more to do.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..50 {
            if self.pass().await == 0 {
                return;
            }
        }
        panic!("the passes never come to rest");
    }

    /// Runs the passes by themselves, as in a whole control plane.
    pub(crate) fn run_passes(&self) -> Vec<JoinHandle<()>> {
        let (app, stop) = (&self.app, &self.app.stop);
        let floor = Duration::from_millis(50);
        vec![
            app.passes
                .spawn(Workloads::new(app.clone()), floor, stop.clone()),
            app.passes
                .spawn(StrayPass(app.clone()), floor, stop.clone()),
            app.passes.spawn(Vms::new(app.clone()), floor, stop.clone()),
        ]
    }

    /// Ends them.
    pub(crate) async fn end(self, tasks: Vec<JoinHandle<()>>) {
        self.app.stop.cancel();
        for task in tasks {
            task.await.unwrap();
        }
    }

    /// Runs each pass once; how much they did.
    pub(crate) async fn pass(&mut self) -> usize {
        let mut done = run(&mut self.nodes).await;
        done += run(&mut self.operations).await;
        done += run(&mut self.strays).await;
        done += run(&mut self.workloads).await;
        done += run(&mut self.vms).await;
        let app = self.app.clone();
        let idle = || app.calls.is_idle() && app.vm_calls.is_idle();
        eventually("no order is under way", idle).await;
        done
    }

    /// Runs the workloads' pass once, and waits for nothing.
    pub(crate) async fn look_after_workloads(&mut self) {
        run(&mut self.workloads).await;
    }

    /// Runs the operations' pass once, and waits for nothing.
    pub(crate) async fn operate(&mut self) {
        run(&mut self.operations).await;
    }

    /// Makes the fleet larger or smaller, once; how much was decided.
    pub(crate) async fn scale(&mut self) -> usize {
        if let Some(runners) = &self.app.runners {
            runners.manager.loaded().await;
        }
        run(&mut self.scaling).await
    }

    /// Makes the stream of logs, if there is NATS.
    pub(crate) async fn keep_stream(&mut self) {
        run(self.logs.as_mut().unwrap()).await;
    }

    /// Sweeps; how much was thrown away.
    pub(crate) async fn sweep(&mut self) -> usize {
        run(&mut self.housekeeping).await
    }

    /// The secret of a token with these policies.
    pub(crate) async fn token(&self, project: Option<&str>, policies: &[&str]) -> String {
        let body = json!({"name": "tester", "project": project, "policies": policies});
        let made = Ask::post("/tokens")
            .json(&body)
            .send(&self.router)
            .await
            .expect(201);
        made["secret"].as_str().unwrap().to_owned()
    }

    /// Uploads an executable into a project; its digest.
    pub(crate) async fn upload(&self, project: &str) -> String {
        let bytes = elf::static_elf();
        let digest = digest_of(&bytes);
        let path = format!("/artifacts/{digest}?project={project}");
        let put = Ask::new(axum::http::Method::PUT, &path).bytes(&bytes);
        put.send(&self.router).await.expect(200);
        digest
    }

    /// A service that may be created, in the project `default`.
    pub(crate) async fn service(&self, name: &str) -> Value {
        let artifact = self.upload("default").await;
        json!({"name": name, "kind": "elf", "artifact": artifact})
    }

    /// Makes a service; its id.
    pub(crate) async fn deploy(&self, name: &str) -> String {
        // Ids of one moment have no order.
        self.wait(Duration::from_millis(1));
        let body = self.service(name).await;
        let made = Ask::post("/workloads")
            .json(&body)
            .send(&self.router)
            .await
            .expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Uploads a disk of 64 MiB and makes it version 1 of an image of this
    /// name; the image's id.
    pub(crate) async fn image(&self, name: &str) -> String {
        let mut bytes = qcow2::sample(Bytes::mib(64));
        bytes.extend(name.as_bytes());
        let digest = digest_of(&bytes);
        let put = Ask::new(axum::http::Method::PUT, &format!("/artifacts/{digest}"));
        let put = put.header("x-artifact-kind", "qcow2").bytes(&bytes);
        put.send(&self.router).await.expect(200);
        let body = json!({"name": name, "digest": digest, "default_user": "debian"});
        let made = Ask::post("/images").json(&body).send(&self.router).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Makes a VM of the image `debian`, of a quarter core's node's smallest
    /// size, with these fields besides; its id.
    pub(crate) async fn vm(&self, name: &str, more: Value) -> String {
        // Ids of one moment have no order.
        self.wait(Duration::from_millis(1));
        let mut body = json!({"name": name, "image": "debian", "memory_bytes": 64 << 20});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let made = Ask::post("/vms").json(&body).send(&self.router).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// The VM as the API shows it.
    pub(crate) async fn vm_of(&self, id: &str) -> Value {
        let shown = Ask::get(&format!("/vms/{id}")).send(&self.router).await;
        shown.expect(200)
    }

    /// The VM's status.
    pub(crate) async fn vm_status(&self, id: &str) -> String {
        self.vm_of(id).await["status"].as_str().unwrap().to_owned()
    }

    /// The workload as the API shows it.
    pub(crate) async fn workload(&self, id: &str) -> Value {
        Ask::get(&format!("/workloads/{id}"))
            .send(&self.router)
            .await
            .expect(200)
    }

    /// The workload's status.
    pub(crate) async fn status(&self, id: &str) -> String {
        self.workload(id).await["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Kinds of what happened, oldest first.
    pub(crate) async fn kinds(&self) -> Vec<String> {
        let page = Ask::get("/activity?limit=1000")
            .send(&self.router)
            .await
            .expect(200);
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["kind"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn run<P: Pass>(pass: &mut P) -> usize {
    match pass.run().await.unwrap() {
        Outcome::Did(count) => count,
        Outcome::Elsewhere => panic!("{} ran nowhere", P::NAME),
    }
}

/// The digest that an upload's path names.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
