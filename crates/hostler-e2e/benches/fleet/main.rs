//! Figures of whole fleets with real processes; one JSON object a line on
//! standard output, for `cargo xtask bench`.
//!
//! Times of the wire are told in units of one bare NATS round trip of 128
//! bytes, measured in the same run over the same server.

mod api;
mod cpu;
mod deploy;
mod figures;
mod memory;
mod start;
mod trigger;

use anyhow::Result;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if is_asked("start") {
            start::bench().await?;
            memory::sizes()?;
        }
        if is_asked("trigger") {
            trigger::bench().await?;
        }
        if is_asked("deploy") {
            deploy::bench().await?;
        }
        if is_asked("api") {
            api::bench().await?;
        }
        Ok(())
    })
}

/// Whether a part is among those named as arguments, or none is named.
fn is_asked(part: &str) -> bool {
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    named.is_empty() || named.iter().any(|word| word == part)
}

/// Whether fewer rounds are asked for.
fn is_quick() -> bool {
    std::env::var("HOSTLER_BENCH_QUICK").is_ok_and(|quick| !quick.is_empty())
}
