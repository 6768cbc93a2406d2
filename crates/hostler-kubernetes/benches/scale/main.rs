//! A thousand runners: what reading costs, how much memory they take, and what
//! adding costs beside what the API server takes for the bare pods. One JSON
//! object a line on standard output.
//!
//! The API server is a process of its own (this program again, with
//! `api-server` as its argument), so that its memory and its time are not ours.

mod adding;
mod life;
mod reading;
mod server;

use anyhow::Result;
use serde_json::json;

/// How many requests are in flight.
const AT_ONCE: usize = 16;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if std::env::args().any(|argument| argument == "api-server") {
        return runtime.block_on(server::api_server());
    }
    runtime.block_on(async {
        // Before anything else is in memory.
        reading::bench().await?;
        adding::bench().await
    })
}

fn figure(name: &str, (value, unit): (f64, &str), aim: Option<&str>) {
    let line = json!({"group": "runners", "name": name, "value": value, "unit": unit, "aim": aim});
    println!("{line}");
}
