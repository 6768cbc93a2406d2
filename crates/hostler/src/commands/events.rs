//! `hostler events`.

use anyhow::Result;
use futures::StreamExt as _;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{ActivityEntry, ActivityQuery};

use crate::args::EventsArgs;
use crate::output::Output;

/// Prints what happened, and goes on if asked.
pub(crate) async fn events(args: EventsArgs, client: &ControlClient, output: Output) -> Result<()> {
    let mut query = ActivityQuery {
        subject: args.subject,
        limit: Some(args.tail),
        after: None,
    };
    let page = client.activity(&query).await?;
    for entry in &page.items {
        print(entry, output)?;
    }
    if !args.follow {
        return Ok(());
    }
    query.after = page.items.last().map(|entry| entry.id.to_string());
    query.limit = None;
    let mut entries = client.activity_live(&query).await?;
    while let Some(entry) = entries.next().await {
        print(&entry?, output)?;
    }
    Ok(())
}

fn print(entry: &ActivityEntry, output: Output) -> Result<()> {
    output.line(entry, |entry| {
        let at = entry.at.format("%Y-%m-%d %H:%M:%S%.3f");
        format!(
            "{at}  {:<20}  {:<12}  {}",
            entry.kind, entry.actor, entry.text
        )
    })
}
