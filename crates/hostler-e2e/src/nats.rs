//! The fleet's NATS, as its users see it.

use anyhow::{Context as _, Result};
use async_nats::{Client, ConnectOptions};

use crate::fleet::Fleet;

/// Connects to the control NATS with the CLI's key.
pub async fn connect(fleet: &Fleet) -> Result<Client> {
    let seed = std::fs::read_to_string(fleet.data().join("secrets").join("cli.nk"))?;
    let options = ConnectOptions::with_nkey(seed.trim().to_owned());
    options
        .connect(fleet.nats_url())
        .await
        .context("the control NATS does not answer")
}
