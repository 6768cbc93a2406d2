//! A wire that can be cut: forwards TCP from a free port to an address, until
//! it is cut, and again when it is healed. Connections that exist are closed
//! by the cut.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The wire; forwards until it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Proxy {
    /// A whole wire to `target`.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (whole, is_whole) = watch::channel(true);
        tokio::spawn(forward(listener, target, is_whole));
        Ok(Self { address, whole })
    }

    /// Cuts the wire.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Mends it.
    pub fn heal(&self) {
        self.whole.send_replace(true);
    }
}

async fn forward(listener: TcpListener, target: SocketAddr, is_whole: watch::Receiver<bool>) {
    while let Ok((inward, _)) = listener.accept().await {
        if *is_whole.borrow() {
            tokio::spawn(carry(inward, target, is_whole.clone()));
        }
    }
}

async fn carry(mut inward: TcpStream, target: SocketAddr, mut is_whole: watch::Receiver<bool>) {
    let Ok(mut outward) = TcpStream::connect(target).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut inward, &mut outward) => {}
        _ = is_whole.wait_for(|whole| !whole) => {}
    }
}
