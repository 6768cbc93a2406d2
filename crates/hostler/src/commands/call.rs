//! `hostler call`: one NATS request, with the context's own key.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_nats::ConnectOptions;

use super::connect;
use crate::args::{CallArgs, Global};
use crate::context::Context;
use crate::output::{Output, say};

/// Sends the request and prints the answer as it is, with a newline on the end.
pub(crate) async fn call(args: CallArgs, global: &Global, output: Output) -> Result<()> {
    let client = connected(&connect::context(global)?).await?;
    let waiting = client.request(args.subject.clone(), args.payload.clone().into());
    let limit = Duration::from_secs(args.timeout);
    let Ok(answer) = tokio::time::timeout(limit, waiting).await else {
        bail!(
            "nobody answered on '{}' within {} s",
            args.subject,
            args.timeout
        );
    };
    let answer = answer.with_context(|| format!("the request on '{}' failed", args.subject))?;
    print(&answer.payload, output)
}

async fn connected(context: &Context) -> Result<async_nats::Client> {
    let Some(url) = &context.nats else {
        bail!("this context knows no NATS server; `hostler up` writes one that does");
    };
    let options = match &context.nats_seed {
        Some(path) => {
            let seed = std::fs::read_to_string(path)
                .with_context(|| format!("could not read {}", path.display()))?;
            ConnectOptions::with_nkey(seed.trim().to_owned())
        }
        None => ConnectOptions::new(),
    };
    let options = options.name("hostler call");
    options
        .connect(url)
        .await
        .with_context(|| format!("could not connect to {url}"))
}

fn print(payload: &[u8], output: Output) -> Result<()> {
    if output.json {
        let text = serde_json::json!({ "payload": String::from_utf8_lossy(payload) });
        return say(&text.to_string());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(payload)?;
    if !payload.ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    Ok(())
}
