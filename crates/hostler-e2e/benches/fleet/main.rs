//! Figures of whole fleets with real processes; one JSON object a line on
//! standard output, for `cargo xtask bench`.
//!
//! Times of the wire are told in units of one bare NATS round trip of 128
//! bytes, measured in the same run over the same server.

mod api;
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
        start::bench().await?;
        memory::sizes()?;
        let unit = trigger::bench().await?;
        deploy::bench(unit).await?;
        api::bench().await
    })
}

/// Whether fewer rounds are asked for.
fn is_quick() -> bool {
    std::env::var("HOSTLER_BENCH_QUICK").is_ok_and(|quick| !quick.is_empty())
}
