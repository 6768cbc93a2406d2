//! What the control plane is told at start. All of it is checked before
//! anything is opened, and every mistake is listed.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hostler_core::Timestamp;
use hostler_core::placement::{Overcommits, Policy};
use hostler_daemon::config::Mistakes;
use hostler_daemon::serve::TlsFiles;

use crate::logs::NatsOptions;
use crate::oidc::SignInOptions;
use crate::runners::RunnerOptions;

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Renders the process's metrics as Prometheus text.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// How the control plane is to run.
#[derive(Clone)]
pub struct ControlOptions {
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The certificate it answers with; none: in the clear.
    pub tls: Option<TlsFiles>,
    /// `sqlite:///path` or `postgres://user@host/name`.
    pub database_url: String,
    /// The folder of artifact files; several control planes share it.
    pub data_dir: PathBuf,
    /// 32 bytes, mode 0600; made at first start if it is missing.
    pub sealing_key_file: PathBuf,
    /// The secret of the first administrator; none: only tokens made before.
    pub api_token: Option<String>,
    /// Between two heartbeats of a node; all other spans follow from it.
    pub heartbeat: Duration,
    /// How nodes are compared.
    pub policy: Policy,
    /// How far the nodes of each pool are overbooked.
    pub overcommits: Overcommits,
    /// The control NATS, for the history of logs; none: no logs.
    pub nats: Option<NatsOptions>,
    /// What nodes are told of the control NATS.
    pub node_nats: NodeNatsOptions,
    /// What uploads may be.
    pub artifacts: ArtifactLimits,
    /// How people reach the API, if not at `listen`; named in its description.
    pub public_url: Option<String>,
    /// What `/metrics` answers; none: it says that there are none.
    pub metrics: Option<MetricsText>,
    /// What gives machines when work needs more; none: nothing does.
    pub runners: Option<RunnerOptions>,
    /// How long users stay signed in.
    pub sessions: SessionLimits,
    /// Where else users sign in; none: with passwords only.
    pub sign_in: Option<SignInOptions>,
    /// Where the time comes from.
    pub clock: Clock,
}

/// How long users stay signed in.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Without doing anything.
    pub idle: Duration,
    /// At the longest.
    pub longest: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_hours(8),
            longest: Duration::from_hours(7 * 24),
        }
    }
}

/// What nodes are told of the control NATS, and who is told of their keys.
#[derive(Clone, Debug, Default)]
pub struct NodeNatsOptions {
    /// Its address as nodes reach it; none: they are given it by hand.
    pub url: Option<String>,
    /// A file that is kept to hold the public keys of all nodes, one a line,
    /// for whoever lets them into that server.
    pub keys_file: Option<PathBuf>,
}

/// What uploads may be.
#[derive(Clone, Copy, Debug)]
pub struct ArtifactLimits {
    /// The largest artifact, in bytes.
    pub largest: u64,
    /// The largest image of a disk, in bytes.
    pub largest_image: u64,
    /// How long an upload may pause.
    pub idle: Duration,
    /// How old a file that nobody holds must be to be removed.
    pub grace: Duration,
}

impl Default for ArtifactLimits {
    fn default() -> Self {
        Self {
            largest: 512 << 20,
            largest_image: 64 << 30,
            idle: Duration::from_secs(30),
            grace: Duration::from_hours(1),
        }
    }
}

/// The machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let ms = since.unwrap_or_default().as_millis();
        Timestamp::from_ms(i64::try_from(ms).unwrap_or(i64::MAX))
    })
}

impl ControlOptions {
    /// Options with which a control plane runs on SQLite in `data_dir`, on
    /// loopback, with no administrator and no NATS.
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3010)),
            tls: None,
            database_url: format!("sqlite://{}", data_dir.join("hostler.db").display()),
            sealing_key_file: data_dir.join("sealing.key"),
            data_dir,
            api_token: None,
            heartbeat: Duration::from_secs(15),
            policy: Policy::default(),
            overcommits: Overcommits::new(),
            nats: None,
            node_nats: NodeNatsOptions::default(),
            artifacts: ArtifactLimits::default(),
            public_url: None,
            metrics: None,
            runners: None,
            sessions: SessionLimits::default(),
            sign_in: None,
            clock: system_clock(),
        }
    }

    /// All that is wrong with these options.
    pub fn check(&self) -> Result<(), Mistakes> {
        let mut mistakes = Mistakes::default();
        self.check_places(&mut mistakes);
        self.check_amounts(&mut mistakes);
        if let Some(nats) = &self.nats {
            mistakes.take("nats", nats.check());
        }
        // It is told to every node: nobody's secret may be in it.
        if self
            .node_nats
            .url
            .as_ref()
            .is_some_and(|url| url.contains('@'))
        {
            mistakes.add(
                "nats of nodes",
                "holds a user; nodes have keys of their own",
            );
        }
        mistakes.check()
    }

    /// What is allowed and unwise, in words.
    pub fn remarks(&self) -> Vec<String> {
        let token = self.api_token.as_deref();
        let is_short = token.is_some_and(|token| token.chars().count() < SAFE_TOKEN);
        let text = format!(
            "the API token has fewer than {SAFE_TOKEN} characters and can be guessed; \
             use such a one for trying things out only"
        );
        is_short.then_some(text).into_iter().collect()
    }

    fn check_places(&self, mistakes: &mut Mistakes) {
        let schemes = ["sqlite:", "postgres:", "postgresql:"];
        if !schemes
            .iter()
            .any(|scheme| self.database_url.starts_with(scheme))
        {
            mistakes.add("database url", "begins with neither sqlite: nor postgres:");
        }
        if self.data_dir.as_os_str().is_empty() {
            mistakes.add("data folder", "is empty");
        }
        let url = self.public_url.as_deref();
        if url.is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            mistakes.add("public url", "begins with neither http:// nor https://");
        }
    }

    fn check_amounts(&self, mistakes: &mut Mistakes) {
        if self.heartbeat < SHORTEST_HEARTBEAT {
            mistakes.add(
                "heartbeat",
                format!("is shorter than {SHORTEST_HEARTBEAT:?}"),
            );
        }
        if self.artifacts.largest == 0 {
            mistakes.add("largest artifact", "is zero");
        }
        let token = self.api_token.as_deref();
        if token.is_some_and(|token| token.trim().is_empty()) {
            mistakes.add("api token", "is empty");
        }
        if self.sessions.idle.is_zero() || self.sessions.longest.is_zero() {
            mistakes.add("sessions", "end at once");
        }
        for (pool, overcommit) in &self.overcommits {
            if overcommit.cpu_percent == 0 || overcommit.memory_percent == 0 {
                mistakes.add("overcommit", format!("of pool '{pool}' promises nothing"));
            }
        }
    }
}

const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(10);
/// A token of so many characters is not found by trying.
const SAFE_TOKEN: usize = 16;

impl fmt::Debug for ControlOptions {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlOptions")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .field("heartbeat", &self.heartbeat)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_listed_at_once() {
        let mut options = ControlOptions::new(PathBuf::from("data"));
        assert!(options.check().is_ok());
        options.database_url = "mysql://x".to_owned();
        options.heartbeat = Duration::ZERO;
        options.api_token = Some(" ".to_owned());
        options.public_url = Some("ftp://x".to_owned());
        options.node_nats.url = Some("nats://me:secret@x".to_owned());
        let text = options.check().unwrap_err().to_string();
        for setting in [
            "database url",
            "heartbeat",
            "api token",
            "public url",
            "nats of nodes",
        ] {
            assert!(text.contains(setting), "{setting} is not in: {text}");
        }
    }

    #[test]
    fn any_token_but_an_empty_one_is_taken_and_a_short_one_is_remarked() {
        let check = |token: &str, accepted: bool, remarked: bool| {
            let mut options = ControlOptions::new(PathBuf::from("data"));
            options.api_token = Some(token.to_owned());
            assert_eq!(options.check().is_ok(), accepted, "'{token}'");
            let remarks = options.remarks();
            assert_eq!(!remarks.is_empty(), remarked, "'{token}'");
            let told = format!("{options:?} {remarks:?}");
            assert!(token.trim().is_empty() || !told.contains(token), "{told}");
        };
        check("", false, true);
        check("  \t", false, true);
        check("test-token", true, true);
        check("dev-token", true, true);
        check("fifteen letters", true, true);
        check("sixteen letters!", true, false);
    }
}
