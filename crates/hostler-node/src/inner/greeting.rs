//! The first line a NATS server says, `INFO {…}`: who it is. Reading it needs
//! no credentials.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Info {
    server_name: String,
}

/// The name of the server that listens on this port of loopback.
pub(super) async fn server_name(port: u16) -> Option<String> {
    tokio::time::timeout(PATIENCE, read(port)).await.ok()?
}

async fn read(port: u16) -> Option<String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.ok()?;
    let info: Info = serde_json::from_str(line.strip_prefix("INFO ")?.trim()).ok()?;
    Some(info.server_name)
}
