//! `hostler logs`.

use std::io::Write as _;

use anyhow::Result;
use futures::StreamExt as _;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::LogLine;

use super::workload::find;
use crate::args::LogsArgs;
use crate::output::Output;

/// Prints what the workload printed, and goes on if asked.
pub(crate) async fn logs(args: LogsArgs, client: &ControlClient, output: Output) -> Result<()> {
    let workload = find(&args.which, client).await?;
    if !args.follow {
        let lines = client.workload_logs(workload.id, args.tail).await?;
        return lines.iter().try_for_each(|line| print(line, output));
    }
    let mut lines = client.workload_logs_follow(workload.id, args.tail).await?;
    while let Some(line) = lines.next().await {
        print(&line?, output)?;
    }
    Ok(())
}

/// The text as it was written; what the workload did not end, we do not end.
fn print(line: &LogLine, output: Output) -> Result<()> {
    if output.json {
        return output.line(line, |_| String::new());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(line.text.as_bytes())?;
    if !line.text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}
