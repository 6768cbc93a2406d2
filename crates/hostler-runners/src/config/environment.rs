//! Environment variables, and what they mean together.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hostler_core::runner::job::{OnLost, OnTimeout, WaitFor};
use hostler_daemon::config::Mistakes;
use hostler_daemon::serve::TlsFiles;

use super::{Config, ProviderConfig, ProviderKind, RunnersFile, pools_of};
use crate::http::{Token, Tokens};
use crate::manager::Rules;

/// Variables by name: those of the process, and below them those of `.env`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own variables, and those of this file if there is one. One
    /// that is set to nothing counts as not set, and so does not hide the file's.
    pub fn read(file: &Path) -> Result<Self, Mistakes> {
        let mut variables = BTreeMap::new();
        let mut mistakes = Mistakes::default();
        match dotenvy::from_path_iter(file) {
            Ok(lines) => lines.for_each(|line| {
                variables.extend(mistakes.take(".env", line));
            }),
            Err(error) if error.not_found() => {}
            Err(error) => mistakes.add(".env", error),
        }
        mistakes.check()?;
        let own = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        variables.extend(own.filter(|(_, value)| !value.is_empty()));
        Ok(Self(variables))
    }

    /// A variable that is set to something.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The same with a variable set: a flag outweighs what is in the
    /// environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// A variable of some type, or its default; a mistake if it is wrong.
    pub fn parsed<T>(&self, name: &str, usual: T, mistakes: &mut Mistakes) -> T
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let given = self.get(name).map(str::parse);
        given
            .and_then(|value| mistakes.take(name, value))
            .unwrap_or(usual)
    }

    /// One of some words, or the first.
    fn word<T: Copy>(&self, name: &str, words: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
        let Some(word) = self.get(name) else {
            return words.first().map(|(_, value)| *value);
        };
        let is_it = |(known, _): &&(&str, T)| known.eq_ignore_ascii_case(word);
        let found = words.iter().find(is_it).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            mistakes.add(name, format!("'{word}' is none of {}", known.join(", ")));
        }
        found
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

const KINDS: [(&str, ProviderKind); 5] = [
    ("kubernetes", ProviderKind::Kubernetes),
    ("k8s", ProviderKind::Kubernetes),
    ("aws", ProviderKind::Aws),
    ("local", ProviderKind::Local),
    ("fake", ProviderKind::Fake),
];
const SWITCH: [(&str, bool); 2] = [("false", false), ("true", true)];

/// The configuration that these variables give, or every mistake in them.
pub fn config(environment: Environment, data: PathBuf) -> Result<Config, Mistakes> {
    let mut mistakes = Mistakes::default();
    let wrong = &mut mistakes;
    let host = environment.parsed("API_HOST", IpAddr::V4(Ipv4Addr::UNSPECIFIED), wrong);
    let listen = SocketAddr::new(host, environment.parsed("API_PORT", 3010, wrong));
    let file_of = |name: &str| environment.get(name).map(PathBuf::from);
    let tls = TlsFiles::pair(file_of("TLS_CERT_FILE"), file_of("TLS_KEY_FILE"));
    let tls = wrong.take("TLS_CERT_FILE, TLS_KEY_FILE", tls).flatten();
    let tokens = tokens(&environment, listen, wrong);
    let rules = rules(&environment, wrong);
    let provider = provider(environment, data, wrong);
    mistakes.check()?;
    Ok(Config {
        listen,
        tls,
        tokens: Arc::new(tokens),
        rules,
        provider: provider.ok_or_else(Mistakes::default)?,
    })
}

/// The provider that these variables name, or every mistake in them.
pub fn provider_config(
    environment: Environment,
    data: PathBuf,
) -> Result<ProviderConfig, Mistakes> {
    let mut mistakes = Mistakes::default();
    let provider = provider(environment, data, &mut mistakes);
    mistakes.check()?;
    provider.ok_or_else(Mistakes::default)
}

fn provider(
    environment: Environment,
    data: PathBuf,
    mistakes: &mut Mistakes,
) -> Option<ProviderConfig> {
    let kind = environment.word("PROVIDER_TYPE", &KINDS, mistakes);
    let file = file(&environment, mistakes);
    let pools = mistakes.take("runners.toml", pools_of(&file));
    Some(ProviderConfig {
        kind: kind?,
        pools: pools?,
        data,
        environment,
        file: file.rest,
    })
}

fn tokens(environment: &Environment, listen: SocketAddr, mistakes: &mut Mistakes) -> Tokens {
    let mut tokens = Vec::new();
    for text in environment
        .get("API_TOKEN")
        .iter()
        .flat_map(|list| list.split(','))
    {
        let name = format!("token-{}", tokens.len() + 1);
        tokens.extend(mistakes.take("API_TOKEN", Token::new(&name, text)));
    }
    if let Some(path) = environment.get("API_TOKEN_FILE") {
        let text = mistakes.take("API_TOKEN_FILE", fs::read_to_string(path));
        let text = text.unwrap_or_default();
        let is_line = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with('#');
        for line in text.lines().filter(is_line) {
            let name = format!("token-{}", tokens.len() + 1);
            tokens.extend(mistakes.take("API_TOKEN_FILE", Token::parse(line, &name)));
        }
    }
    let disabled = environment.word("AUTH_DISABLED", &SWITCH, mistakes) == Some(true);
    match (disabled, tokens.is_empty(), listen.ip().is_loopback()) {
        (true, _, true) => return Tokens::Everybody,
        (true, _, false) => mistakes.add("AUTH_DISABLED", "only with API_HOST on loopback"),
        (false, true, _) => {
            mistakes.add(
                "API_TOKEN",
                "is required: a strong random token, or several with commas",
            );
        }
        (false, false, _) => {}
    }
    Tokens::These(tokens)
}

fn rules(environment: &Environment, mistakes: &mut Mistakes) -> Rules {
    let usual = Rules::default();
    let mut rules = usual.clone();
    let seconds = |name: &str, usual: Duration, mistakes: &mut Mistakes| {
        Duration::from_secs(environment.parsed(name, usual.as_secs(), mistakes))
    };
    rules.wait = seconds("POD_WAIT_TIMEOUT", usual.wait, mistakes);
    rules.drain = seconds("DRAIN_TIMEOUT", usual.drain, mistakes);
    rules.keep = seconds("JOB_KEEP", usual.keep, mistakes);
    rules.max_add = environment.parsed("MAX_ADD", usual.max_add, mistakes);
    rules.min_runners = environment.parsed("MIN_RUNNERS", 0, mistakes);
    rules.name = environment.parsed("MANAGER_NAME", usual.name, mistakes);
    rules.status.wait = rules.wait;
    rules.status.program_grace = seconds("RUNNER_POD_GRACE", usual.status.program_grace, mistakes);
    let waits = [("scheduled", WaitFor::Scheduled), ("ready", WaitFor::Ready)];
    rules.wait_for = environment
        .word("WAIT_FOR", &waits, mistakes)
        .unwrap_or_default();
    let late = [("keep", OnTimeout::Keep), ("delete", OnTimeout::Delete)];
    rules.jobs.on_timeout = environment
        .word("ON_TIMEOUT", &late, mistakes)
        .unwrap_or_default();
    let lost = [("report", OnLost::Report), ("replace", OnLost::Replace)];
    rules.jobs.on_lost = environment
        .word("ON_LOST", &lost, mistakes)
        .unwrap_or_default();
    let ready = [("ready", false), ("running", true)];
    let is_loose = environment.word("RUNNER_READY", &ready, mistakes);
    rules.status.running_is_ready = is_loose.unwrap_or_default();
    rules
}

/// `runners.toml` where `RUNNERS_FILE` says, or here if there is one.
fn file(environment: &Environment, mistakes: &mut Mistakes) -> RunnersFile {
    let given = environment.get("RUNNERS_FILE");
    let path = given.unwrap_or("runners.toml");
    match fs::read_to_string(path) {
        Ok(text) => mistakes
            .take(path, RunnersFile::parse(&text))
            .unwrap_or_default(),
        Err(error) if given.is_none() && error.kind() == io::ErrorKind::NotFound => {
            RunnersFile::default()
        }
        Err(error) => {
            mistakes.add(path, error);
            RunnersFile::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let environment = pairs.iter().map(owned).collect();
        config(environment, PathBuf::new()).map_err(|mistakes| mistakes.to_string())
    }

    #[track_caller]
    fn check_mistake(pairs: &[(&str, &str)], expected: &str) {
        let text = read(pairs).err().expect("a mistake");
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_token_is_all_that_must_be_said() {
        let config = read(&[("API_TOKEN", "test-token")]).unwrap();
        assert_eq!(config.listen.to_string(), "0.0.0.0:3010");
        assert_eq!(config.provider.kind, ProviderKind::Kubernetes);
        assert_eq!(config.rules.wait, Duration::from_mins(10));
        assert_eq!(config.provider.pools.len(), 1);
        assert_eq!(
            config.provider.pools[0].selector["daytona-sandbox-c"],
            "true"
        );
    }

    #[test]
    fn every_variable_is_read() {
        let config = read(&[
            ("API_TOKEN", "a,b"),
            ("API_PORT", "4000"),
            ("API_HOST", "127.0.0.1"),
            ("PROVIDER_TYPE", "k8s"),
            ("POD_WAIT_TIMEOUT", "5"),
            ("MAX_ADD", "7"),
            ("MIN_RUNNERS", "2"),
            ("WAIT_FOR", "ready"),
            ("ON_TIMEOUT", "delete"),
            ("ON_LOST", "replace"),
            ("RUNNER_READY", "running"),
            ("TLS_CERT_FILE", "tls.crt"),
            ("TLS_KEY_FILE", "tls.key"),
        ])
        .unwrap();
        assert!(config.tls.is_some());
        assert_eq!(config.listen.to_string(), "127.0.0.1:4000");
        assert_eq!(config.provider.kind, ProviderKind::Kubernetes);
        let rules = config.rules;
        assert_eq!(
            (rules.wait.as_secs(), rules.max_add, rules.min_runners),
            (5, 7, 2)
        );
        assert_eq!(rules.status.wait, rules.wait);
        assert_eq!(rules.wait_for, WaitFor::Ready);
        assert_eq!(rules.jobs.on_timeout, OnTimeout::Delete);
        assert_eq!(rules.jobs.on_lost, OnLost::Replace);
        assert!(rules.status.running_is_ready);
    }

    #[test]
    fn without_a_token_nothing_starts_except_on_loopback_when_asked() {
        check_mistake(&[], "API_TOKEN: is required");
        check_mistake(&[("API_TOKEN", " ")], "API_TOKEN: is required");
        check_mistake(&[("API_TOKEN", "a,,b")], "API_TOKEN: it is empty");
        check_mistake(
            &[("AUTH_DISABLED", "true")],
            "AUTH_DISABLED: only with API_HOST on loopback",
        );
        let open = [("AUTH_DISABLED", "true"), ("API_HOST", "127.0.0.1")];
        assert!(matches!(*read(&open).unwrap().tokens, Tokens::Everybody));
    }

    #[test]
    fn row_25_a_certificate_needs_its_key() {
        check_mistake(
            &[("API_TOKEN", "a"), ("TLS_CERT_FILE", "tls.crt")],
            "TLS_CERT_FILE, TLS_KEY_FILE: a certificate and its key",
        );
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let wrong = [
            ("API_TOKEN", "t"),
            ("API_PORT", "port"),
            ("PROVIDER_TYPE", "gcp"),
            ("ON_TIMEOUT", "shrug"),
        ];
        let text = read(&wrong).err().unwrap();
        for name in ["API_PORT", "PROVIDER_TYPE", "ON_TIMEOUT"] {
            assert!(text.contains(name), "{text}");
        }
    }

    #[test]
    fn tokens_can_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        fs::write(&path, "# rotated\nold name=old\n\nnew scopes=read\n").unwrap();
        let path = path.to_str().unwrap();
        let config = read(&[("API_TOKEN_FILE", path)]).unwrap();
        assert!(matches!(&*config.tokens, Tokens::These(tokens) if tokens.len() == 2));
        check_mistake(&[("API_TOKEN_FILE", "/nowhere/at/all")], "API_TOKEN_FILE");
    }

    #[test]
    fn a_dot_env_file_is_below_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(
            &path,
            "# comment\nAPI_TOKEN=from-file\nPATH=/never\nQUOTED=\"a b\"\n",
        )
        .unwrap();
        let environment = Environment::read(&path).unwrap();
        assert_eq!(environment.get("API_TOKEN"), Some("from-file"));
        assert_eq!(environment.get("QUOTED"), Some("a b"));
        assert_ne!(environment.get("PATH"), Some("/never"));
        assert!(Environment::read(&folder.path().join("none")).is_ok());
    }
}
