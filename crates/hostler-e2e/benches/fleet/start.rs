//! From nothing to the first answer of the API.

use std::time::Instant;

use anyhow::Result;
use hostler_e2e::fleet::Fleet;
use hostler_wire::client::ControlClient;

use crate::figures::{Times, figure};

pub(crate) async fn bench() -> Result<()> {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..if crate::is_quick() { 2 } else { 5 } {
        let mut fleet = Fleet::new()?;
        first.push(answer(&mut fleet).await?);
        fleet.interrupt().await?;
        again.push(answer(&mut fleet).await?);
    }
    let ms = |times: Vec<_>| (Times::new(times).micros(0.5) / 1e3, "ms");
    figure(
        "start",
        "`hostler up` in a new folder to the first API answer",
        ms(first),
        Some("<= 300"),
    );
    figure(
        "start",
        "the same in a folder that exists",
        ms(again),
        Some("<= 300"),
    );
    Ok(())
}

async fn answer(fleet: &mut Fleet) -> Result<std::time::Duration> {
    // Health needs no token; there is none before the first start.
    let client = ControlClient::new(&fleet.url(), "")?;
    let started = Instant::now();
    fleet.spawn()?;
    while client.health().await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let taken = started.elapsed();
    fleet.wait_until_up().await?;
    Ok(taken)
}
