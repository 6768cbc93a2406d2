//! Flags of the commands about workloads.

use std::path::PathBuf;

use clap::Args;
use hostler_core::workload::Kind;
use hostler_core::{Bytes, Cpu};

/// `hostler run`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // They are flags of a command line.
pub(crate) struct RunArgs {
    /// The file to run: a static ELF executable, a WebAssembly module or a `.js` file
    pub file: PathBuf,
    /// Arguments for it
    #[arg(trailing_var_arg = true)]
    pub argv: Vec<String>,
    /// What to call it; else the file's name
    #[arg(long)]
    pub name: Option<String>,
    /// The project it belongs to
    #[arg(long, default_value = "default")]
    pub project: String,
    /// elf, wasm or v8; else found out from the file
    #[arg(long, value_parser = kind)]
    pub kind: Option<Kind>,
    /// A NATS subject that triggers it (functions); may be repeated
    #[arg(long = "trigger", value_name = "SUBJECT")]
    pub triggers: Vec<String>,
    /// A variable of its environment; may be repeated
    #[arg(long = "env", short, value_name = "KEY=VALUE", value_parser = pair)]
    pub environment: Vec<(String, String)>,
    /// Give it `NATS_URL`, with the credentials that workloads share
    #[arg(long)]
    pub with_nats: bool,
    /// Start it again when it fails (services)
    #[arg(long)]
    pub essential: bool,
    /// Processor it needs, such as 500m or 2
    #[arg(long, default_value = "100m")]
    pub cpus: Cpu,
    /// Memory it needs, such as 64MiB
    #[arg(long, default_value = "64MiB")]
    pub memory: Bytes,
    /// How many processes it may have
    #[arg(long, default_value_t = 64)]
    pub pids: u32,
    /// A label of its own; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    pub labels: Vec<(String, String)>,
    /// A label that its node must have; may be repeated
    #[arg(long = "on", value_name = "KEY=VALUE", value_parser = pair)]
    pub node_labels: Vec<(String, String)>,
    /// Stay with a lost node instead of starting elsewhere
    #[arg(long)]
    pub wait_for_node: bool,
    /// Replace a workload of the same name
    #[arg(long)]
    pub replace: bool,
    /// Return at once instead of when it runs
    #[arg(long)]
    pub detach: bool,
    /// Seconds to wait until it runs
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `hostler ls`.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// Only this project's
    #[arg(long)]
    pub project: Option<String>,
    /// Only those with this status, such as running
    #[arg(long)]
    pub status: Option<String>,
}

/// One workload.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhichWorkload {
    /// Its name or id
    pub workload: String,
    /// The project a name is looked for in
    #[arg(long, default_value = "default")]
    pub project: String,
}

/// `hostler logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    pub which: WhichWorkload,
    /// Go on with new lines as they come
    #[arg(long, short)]
    pub follow: bool,
    /// How many past lines
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub tail: u32,
}

/// `hostler events`.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Go on with new events as they come
    #[arg(long, short)]
    pub follow: bool,
    /// How many past events
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub tail: u32,
    /// Only what concerns this id
    #[arg(long, value_name = "ID")]
    pub subject: Option<String>,
}

/// `hostler call`.
#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// The subject to send to
    pub subject: String,
    /// What to send
    #[arg(default_value = "")]
    pub payload: String,
    /// Seconds to wait for the answer
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `KEY=VALUE`, split at the first `=`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = split.ok_or_else(|| format!("'{text}' is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "elf" | "native" => Ok(Kind::Elf),
        "wasm" => Ok(Kind::Wasm),
        "v8" | "js" | "javascript" => Ok(Kind::V8),
        _ => Err("it is neither elf nor wasm nor v8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_split_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(pair("a="), Ok(("a".into(), String::new())));
        assert!(pair("a").is_err());
        assert!(pair("=b").is_err());
    }
}
