//! The inner server for real: who may say what, and what its death costs.

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use futures::StreamExt as _;
use hostler_core::id::SlotId;
use hostler_daemon::process::ProcessId;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Inner, InnerOptions, server};

const PATIENCE: Duration = Duration::from_secs(20);

struct Ground {
    folder: TempDir,
    stop: CancellationToken,
}

impl Ground {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            stop: CancellationToken::new(),
        }
    }

    fn options(&self) -> InnerOptions {
        InnerOptions {
            folder: self.folder.path().join("inner"),
            program: "nats-server".into(),
            port_held: false,
        }
    }

    async fn start(&self) -> Inner {
        let started = Inner::start(self.options(), &self.stop, &TaskTracker::new()).await;
        started.expect("an inner server")
    }

    fn process(&self) -> Option<ProcessId> {
        let folder = self.folder.path().join("inner");
        server::find(&folder.canonicalize().expect("a folder"))
    }
}

/// A test that fails leaves nothing running either.
impl Drop for Ground {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(process) = self.process() {
            process.signal(Signal::KILL);
        }
    }
}

fn slot(number: u32) -> SlotId {
    SlotId::from_parts(number, [3; 8])
}

async fn connect(inner: &Inner, credentials: &str, prefix: &str) -> Client {
    let options = ConnectOptions::with_credentials(credentials).expect("credentials");
    options
        .custom_inbox_prefix(prefix)
        .connect(format!("nats://127.0.0.1:{}", inner.port()))
        .await
        .expect("a connection")
}

async fn node(inner: &Inner) -> Client {
    let credentials = inner.node_credentials().expect("credentials");
    connect(inner, &credentials, "_INBOX").await
}

async fn agent(inner: &Inner, number: u32) -> Client {
    let credentials = inner.agent_credentials(slot(number)).expect("credentials");
    connect(inner, &credentials, &format!("_INBOX_{}", slot(number))).await
}

/// Whether `to`, listening on `pattern`, hears in time what `from` publishes
/// again and again on `subject`.
async fn heard(
    (from, subject): (&Client, &str),
    (to, pattern): (&Client, &str),
    patience: Duration,
) -> bool {
    let mut heard = to.subscribe(pattern.to_owned()).await.expect("asked");
    let speak = async {
        loop {
            let published = from.publish(subject.to_owned(), "x".into()).await;
            published.expect("asked");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        message = timeout(patience, heard.next()) => message.is_ok_and(|message| message.is_some()),
        () = speak => false,
    }
}

async fn is_heard(from: &Client, to: &Client, subject: &str) -> bool {
    heard((from, subject), (to, subject), PATIENCE).await
}

async fn is_not_heard(from: (&Client, &str), to: (&Client, &str)) -> bool {
    !heard(from, to, Duration::from_millis(300)).await
}

#[tokio::test]
async fn an_agent_hears_and_says_only_what_concerns_its_slot() {
    let ground = Ground::new();
    let inner = ground.start().await;
    let (node, one, two) = (
        node(&inner).await,
        agent(&inner, 1).await,
        agent(&inner, 2).await,
    );
    let of = |number, verb: &str| format!("agentint.{}.{verb}", slot(number));
    assert!(is_heard(&one, &node, &of(1, "logs")).await);
    for verb in ["deploy", "lease"] {
        assert!(is_heard(&node, &one, &of(1, verb)).await, "{verb}");
    }
    let (other, inbox) = (of(2, "deploy"), format!("_INBOX_{}.a", slot(2)));
    for pattern in [&other, "agentint.*.deploy", "agentint.>", ">"] {
        assert!(
            is_not_heard((&node, &other), (&one, pattern)).await,
            "{pattern}"
        );
    }
    let lease = of(2, "lease");
    for pattern in [&lease, "agentint.*.lease"] {
        assert!(
            is_not_heard((&node, &lease), (&one, pattern)).await,
            "{pattern}"
        );
    }
    assert!(is_not_heard((&two, &inbox), (&one, &inbox)).await);
    for subject in [&of(2, "logs"), &other, &lease, &inbox, "_INBOX.guessed"] {
        assert!(
            is_not_heard((&one, subject), (&node, subject)).await,
            "{subject}"
        );
    }
    inner.shutdown().await;
}

#[tokio::test]
async fn nobody_gets_in_without_credentials_of_this_server() {
    let (ground, other) = (Ground::new(), Ground::new());
    let (inner, foreign) = (ground.start().await, other.start().await);
    let url = format!("nats://127.0.0.1:{}", inner.port());
    assert!(async_nats::connect(&url).await.is_err());
    let credentials = foreign.node_credentials().expect("credentials");
    let options = ConnectOptions::with_credentials(&credentials).expect("credentials");
    assert!(options.connect(&url).await.is_err());
    inner.shutdown().await;
    foreign.shutdown().await;
    assert!(ground.process().is_none() && other.process().is_none());
}

#[tokio::test]
async fn a_killed_server_is_back_on_its_port_and_everybody_with_it() {
    let ground = Ground::new();
    let inner = ground.start().await;
    let (node, one) = (node(&inner).await, agent(&inner, 1).await);
    let first = ground.process().expect("a server");
    first.signal(Signal::KILL);
    let back = async {
        while ground.process().is_none_or(|now| now == first) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(is_heard(&one, &node, &format!("agentint.{}.logs", slot(1))).await);
    };
    timeout(PATIENCE, back).await.expect("the server is back");
    inner.shutdown().await;
}

#[tokio::test]
async fn the_next_life_adopts_the_server_that_runs() {
    let ground = Ground::new();
    let first = ground.start().await;
    let process = ground.process().expect("a server");
    let agent = agent(&first, 1).await;
    ground.stop.cancel();
    drop(first);
    let stop = CancellationToken::new();
    let second = Inner::start(ground.options(), &stop, &TaskTracker::new()).await;
    let second = second.expect("an inner server");
    assert_eq!(ground.process(), Some(process));
    let node = node(&second).await;
    assert!(is_heard(&agent, &node, &format!("agentint.{}.logs", slot(1))).await);
    second.shutdown().await;
    assert_eq!(ground.process(), None);
}

#[tokio::test]
async fn keys_and_configuration_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::new();
    let inner = ground.start().await;
    for file in ["operator.nk", "account.nk", "server.conf"] {
        let path = ground.folder.path().join("inner").join(file);
        let mode = std::fs::metadata(path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    inner.shutdown().await;
}
