//! Which NATS is spoken to, as whom.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Where and as whom; what is absent, the context says.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReachArgs {
    /// Addresses of servers, separated by commas; else the context's, or
    /// <nats://127.0.0.1:4222>
    #[arg(long, short, global = true, env = "NATS_URL", value_name = "URL")]
    pub server: Option<String>,
    /// A name, or a token if there is no password
    #[arg(long, global = true, env = "NATS_USER", value_name = "NAME")]
    pub user: Option<String>,
    /// The password
    #[arg(
        long,
        global = true,
        env = "NATS_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    pub password: Option<String>,
    /// A file with credentials
    #[arg(long, global = true, env = "NATS_CREDS", value_name = "FILE")]
    pub creds: Option<PathBuf>,
    /// A file with an nkey seed
    #[arg(long, global = true, env = "NATS_NKEY", value_name = "FILE")]
    pub nkey: Option<PathBuf>,
    /// A file with our certificate
    #[arg(long, global = true, env = "NATS_CERT", value_name = "FILE")]
    pub tlscert: Option<PathBuf>,
    /// A file with its private key
    #[arg(long, global = true, env = "NATS_KEY", value_name = "FILE")]
    pub tlskey: Option<PathBuf>,
    /// A file with certificates of those who sign servers
    #[arg(long, global = true, env = "NATS_CA", value_name = "FILE")]
    pub tlsca: Option<PathBuf>,
    /// Begin TLS before the server speaks
    #[arg(long, global = true, overrides_with = "no_tlsfirst")]
    pub tlsfirst: bool,
    /// Let the server speak first
    #[arg(long, global = true, hide = true)]
    pub no_tlsfirst: bool,
    /// How long an answer is waited for, and answers of many are gathered
    #[arg(long, global = true, env = "NATS_TIMEOUT", default_value = "2s",
        value_parser = go_duration, value_name = "TIME")]
    pub timeout: Duration,
    /// The namespace
    #[arg(
        long,
        global = true,
        env = "NEX_NAMESPACE",
        default_value = "default",
        value_name = "NAME"
    )]
    pub namespace: String,
    /// A context of the NATS command line, by its name or its file; else the
    /// one that is selected there
    #[arg(long, global = true, env = "NATS_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
    /// Look at no context
    #[arg(long, global = true, conflicts_with = "context")]
    pub no_context: bool,
    /// What the server calls this connection
    #[arg(
        long = "conn-name",
        global = true,
        default_value = "nex",
        value_name = "NAME"
    )]
    pub conn_name: String,
}

/// Units of a Go duration, in nanoseconds; longer names first.
const UNITS: [(&str, f64); 7] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
];

/// A span as Go writes it: `2s`, `750ms`, `1m30s`, `1.5h`.
pub(crate) fn go_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no span of time such as 750ms, 2s or 1m30s");
    let (mut rest, mut nanos) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let (number, tail) = rest.split_at(digits.ok_or_else(wrong)?);
        let unit = tail.find(|letter: char| letter.is_ascii_digit());
        let (unit, tail) = tail.split_at(unit.unwrap_or(tail.len()));
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, factor) = known.ok_or_else(wrong)?;
        nanos += number.parse::<f64>().map_err(|_| wrong())? * factor;
        rest = tail;
    }
    let span = Duration::try_from_secs_f64(nanos / 1e9).map_err(|_| wrong())?;
    if span.is_zero() {
        Err(wrong())
    } else {
        Ok(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_writes_them() {
        let check = |text: &str, millis: u64| {
            assert_eq!(
                go_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        };
        check("2s", 2_000);
        check("750ms", 750);
        check("1m30s", 90_000);
        check("1.5h", 5_400_000);
        check("3000us", 3);
        for bad in [
            "", "2", "s", "2x", "-1s", "1s2", "0s", "1.2.3s", "9e9h", "é", "1é",
        ] {
            assert!(go_duration(bad).is_err(), "{bad}");
        }
    }
}
