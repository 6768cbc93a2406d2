//! The handle that a test holds. Everything stops when it is dropped.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;

use crate::api::{Serving, Shared, serve};
use crate::catalog::NODES;
use crate::control::machines::{self, Machine};
use crate::fault::{Broken, Fault, FaultId};
use crate::json::map;
use crate::options::{Options, Pool};
use crate::view::View;
use crate::world::World;

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: Option<Serving>,
    driver: JoinHandle<()>,
}

/// A wait came to its deadline.
#[derive(Debug, thiserror::Error)]
#[error("not within {0:?}")]
pub struct Waited(Duration);

impl Drop for Cluster {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Cluster {
    /// Starts one on a free port of the loopback.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let mut world = World::new(options);
        world.settle();
        let shared = Arc::new(Shared::new(world));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (address, serving) = serve(Arc::clone(&shared), any).await?;
        let driver = tokio::spawn(drive(Arc::clone(&shared)));
        Ok(Self {
            shared,
            address,
            serving: Some(serving),
            driver,
        })
    }

    /// Where the API answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bearer token of a user. `admin` may do everything; others what
    /// bindings say. A service account is `system:serviceaccount:<ns>:<name>`.
    pub fn token(&self, user: &str) -> String {
        self.shared.world().users.token(user)
    }

    /// The text of a kubeconfig for a user, with its namespace. `kubectl` sends
    /// no token over plain HTTP: to this API it is `system:anonymous`.
    pub fn kubeconfig(&self, user: &str, namespace: &str) -> String {
        let token = self.token(user);
        let context = json!({"cluster": "sim", "user": user, "namespace": namespace});
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "sim",
            "clusters": [{"name": "sim", "cluster": {"server": self.url()}}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "sim", "context": context}],
        })
        .to_string()
    }

    /// Lets so much of the cluster's time pass at once, everything due in it
    /// in its order; also of a time that passes by itself.
    pub fn step(&self, span: Duration) {
        let mut world = self.shared.world();
        world.clock.leap(span);
        let end = world.now() + span;
        world.advance(end);
    }

    /// Looks at the objects. The cluster stands still for as long, so the look
    /// itself must not call it.
    pub fn look<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        look(&View(&self.shared.world().store))
    }

    /// Waits until something holds; looks again at every change.
    pub async fn wait_until(
        &self,
        deadline: Duration,
        holds: impl Fn(&View<'_>) -> bool,
    ) -> Result<(), Waited> {
        let mut changed = self.shared.world().store.changed();
        let waiting = async {
            loop {
                changed.mark_unchanged();
                if self.look(&holds) || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(deadline, waiting)
            .await
            .map_err(|_| Waited(deadline))
    }

    /// How many requests of a verb for a resource have come, those refused
    /// and those that met a fault too.
    pub fn requests(&self, verb: &str, resource: &str) -> u64 {
        let key = (verb.to_owned(), resource.to_owned());
        self.shared.world().counters.get(&key).copied().unwrap_or(0)
    }

    /// All counts, by verb and resource.
    pub fn all_requests(&self) -> BTreeMap<(String, String), u64> {
        self.shared.world().counters.clone()
    }

    /// Begins counting anew.
    pub fn requests_forget(&self) {
        self.shared.world().counters.clear();
    }

    /// Sets a fault.
    pub fn fault(&self, fault: Fault) -> FaultId {
        self.shared.world().faults.add(fault)
    }

    /// Ends a fault.
    pub fn heal(&self, fault: FaultId) {
        self.shared.world().faults.heal(fault);
    }

    /// Ends all faults of requests.
    pub fn heal_all(&self) {
        self.shared.world().faults.heal_all();
    }

    /// The server is gone: connections break, new ones are refused.
    pub async fn server_stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.end().await;
        }
    }

    /// It is back, at the same address, with all it knew.
    pub async fn server_start(&mut self) -> std::io::Result<()> {
        let (_, serving) = serve(Arc::clone(&self.shared), self.address).await?;
        self.serving = Some(serving);
        Ok(())
    }

    /// Ends every watch that is open; they may be begun again.
    pub fn watches_cut(&self) {
        self.shared.cuts.send_modify(|count| *count += 1);
    }

    /// Forgets the history and ends every watch: what is resumed from an
    /// older version is answered with 410.
    pub fn history_forget(&self) {
        let mut world = self.shared.world();
        // Without a newer version, whoever is up to date could go on.
        world.change(&crate::catalog::NAMESPACES, ("", "kube-system"), |space| {
            let seen = space["metadata"]["resourceVersion"].clone();
            map(map(space, "metadata"), "annotations")["compacted-at"] = seen;
        });
        world.store.compact();
        drop(world);
        self.watches_cut();
    }

    /// Changes a pool: its bound, how its machines boot, whether it has any.
    pub fn pool_change(&self, name: &str, change: impl FnOnce(&mut Pool)) {
        let mut world = self.shared.world();
        if let Some(pool) = world.options.pools.iter_mut().find(|one| one.name == name) {
            change(pool);
        }
        world.settle();
    }

    /// Adds a machine to a pool, as if the autoscaler had; its name.
    pub fn machine_add(&self, pool: &str) -> Option<String> {
        let mut world = self.shared.world();
        let pool = world.options.pools.iter().find(|one| one.name == pool);
        let pool = pool?.clone();
        let name = machines::ask(&mut world, &pool);
        world.settle();
        Some(name)
    }

    /// The machine dies without a word; its Node object stays.
    pub fn machine_kill(&self, name: &str) {
        self.machine(name, |machine, now| machine.died = Some(now));
    }

    /// A dead machine is back.
    pub fn machine_revive(&self, name: &str) {
        self.machine(name, |machine, _| machine.died = None);
    }

    /// Its kubelet says that it is not ready, or is well again.
    pub fn machine_ails(&self, name: &str, ails: bool) {
        self.machine(name, |machine, _| machine.ailing = ails);
    }

    /// Its cloud takes the machine away, with its Node object.
    pub fn machine_take(&self, name: &str) {
        let mut world = self.shared.world();
        machines::give_back(&mut world, name);
        world.settle();
    }

    fn machine(
        &self,
        name: &str,
        change: impl FnOnce(&mut Machine, chrono::DateTime<chrono::Utc>),
    ) {
        let mut world = self.shared.world();
        let now = world.now();
        if let Some(machine) = world.memory.machines.get_mut(name) {
            change(machine, now);
        }
        world.settle();
    }

    /// Deletes a Node object under its pods; the machine stays.
    pub fn node_delete(&self, name: &str) {
        let mut world = self.shared.world();
        world.store.remove(&NODES, "", name);
        world.settle();
    }

    /// Pods of a label `key=value` no longer run well.
    pub fn pods_break(&self, selector: &str, broken: Broken) {
        let mut world = self.shared.world();
        world.memory.broken.push((selector.to_owned(), broken));
        world.settle();
    }

    /// They do again.
    pub fn pods_mend(&self) {
        let mut world = self.shared.world();
        world.memory.broken.clear();
        world.settle();
    }
}

const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Runs the controllers after every change, and when something is due.
async fn drive(shared: Arc<Shared>) {
    let mut changed = shared.world().store.changed();
    loop {
        let begun = Instant::now();
        let sleep = {
            let mut world = shared.world();
            changed.mark_unchanged();
            let now = world.clock.running();
            world.advance(now);
            changed.mark_unchanged();
            let next = world.next_wake();
            next.and_then(|next| world.clock.until(next))
        };
        // Requests have the world for as long as the controllers had it.
        tokio::time::sleep(begun.elapsed().min(LONGEST_PAUSE)).await;
        let due = async {
            match sleep {
                Some(span) => tokio::time::sleep(span).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            told = changed.changed() => if told.is_err() { return },
            () = due => {}
        }
    }
}
