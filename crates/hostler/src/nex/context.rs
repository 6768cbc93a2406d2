//! Contexts of the NATS command line: files below `nats/context` in the
//! configuration folder, and the name of the selected one in `nats/context.txt`.
//! They are read, and never written.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hostler_wire::nats::go_json;
use serde::Deserialize;

/// What a context says; what is empty it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct NatsContext {
    /// Addresses of servers, separated by commas.
    pub url: String,
    pub user: String,
    pub password: String,
    pub token: String,
    /// A file with credentials.
    pub creds: String,
    /// A file with an nkey seed.
    pub nkey: String,
    /// Files of TLS.
    pub cert: String,
    pub key: String,
    pub ca: String,
    pub tls_first: bool,
    pub inbox_prefix: String,
    /// Things that are not done here, and would change where we speak or as whom.
    nsc: String,
    socks_proxy: String,
    user_jwt: String,
}

impl NatsContext {
    /// The context that is meant: the named one, or the selected one, if any.
    pub(super) fn find(name: Option<&str>) -> Result<Option<Self>> {
        let folder = folder();
        let selected = || std::fs::read_to_string(folder.as_ref()?.join("context.txt")).ok();
        let selected = if name.is_some() { None } else { selected() };
        let Some(name) = name.map(str::to_owned).or(selected) else {
            return Ok(None);
        };
        let Some(path) = file(name.trim(), folder.as_deref()) else {
            return Ok(None);
        };
        let text = std::fs::read(&path).with_context(|| {
            format!("there is no context '{}': {}", name.trim(), path.display())
        })?;
        let context = Self::read(&text).with_context(|| path.display().to_string())?;
        Ok(Some(context))
    }

    fn read(text: &[u8]) -> Result<Self> {
        let context: Self = go_json::from_slice(text).context("it is no context")?;
        let others = [
            ("nsc", &context.nsc),
            ("socks_proxy", &context.socks_proxy),
            ("user_jwt", &context.user_jwt),
        ];
        let said = others.iter().find(|(_, value)| !value.is_empty());
        if let Some((key, _)) = said {
            anyhow::bail!("its '{key}' cannot be followed here");
        }
        Ok(context)
    }
}

/// The file of a context; a name that is a file's is that file.
fn file(name: &str, folder: Option<&Path>) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    let is_file = Path::new(name)
        .extension()
        .is_some_and(|kind| kind == "json");
    if is_file {
        return Some(PathBuf::from(name));
    }
    Some(folder?.join("context").join(format!("{name}.json")))
}

fn folder() -> Option<PathBuf> {
    let set = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty());
    let base = set
        .map(PathBuf::from)
        .or_else(|| Some(home()?.join(".config")))?;
    Some(base.join("nats"))
}

/// Where the user is at home.
pub(super) fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from)
}

/// A path of a context; `~` is the user's home.
pub(super) fn expanded(path: &str) -> PathBuf {
    let below = path.strip_prefix("~/");
    let home = below.and_then(|below| Some(home()?.join(below)));
    home.unwrap_or_else(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_a_file_below_the_folder_or_any_file() {
        let folder = Path::new("/c/nats");
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(
                file(name, Some(folder)),
                expected.map(PathBuf::from),
                "{name}"
            );
        };
        check("prod", Some("/c/nats/context/prod.json"));
        check("a.b", Some("/c/nats/context/a.b.json"));
        check("./mine.json", Some("./mine.json"));
        check("", None);
    }

    #[test]
    fn what_would_take_us_elsewhere_is_refused_and_the_rest_ignored() {
        let text = br#"{"description":"x","url":"nats://h:1","creds":"~/c","color_scheme":"y"}"#;
        let context = NatsContext::read(text).expect("a context");
        assert_eq!(
            (context.url.as_str(), context.creds.as_str()),
            ("nats://h:1", "~/c")
        );
        for key in ["nsc", "socks_proxy", "user_jwt"] {
            let text = format!(r#"{{"{key}":"x"}}"#);
            let error = NatsContext::read(text.as_bytes()).expect_err(key);
            assert!(error.to_string().contains(key));
        }
        assert!(NatsContext::read(b"{").is_err());
    }
}
