//! Counts what really runs: every instance of the `counter` program connects
//! here when it starts and stays connected while it lives. What daemons
//! believe does not matter.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What was seen of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often it was started.
    pub starts: u32,
    /// How many run now.
    pub alive: u32,
    /// How many ran at once, at most.
    pub most: u32,
}

/// The witness; listens until it is dropped.
#[derive(Clone)]
pub struct Witness {
    address: SocketAddr,
    counts: Arc<Mutex<BTreeMap<String, Count>>>,
}

impl Witness {
    /// Starts to listen on a free port of loopback.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let witness = Self {
            address: listener.local_addr()?,
            counts: Arc::default(),
        };
        tokio::spawn(witness.clone().accept(listener));
        Ok(witness)
    }

    /// Where instances report, for `WITNESS_PORT`.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What was seen of a name.
    pub fn count(&self, name: &str) -> Count {
        self.with(|counts| counts.get(name).copied().unwrap_or_default())
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().watch(stream));
        }
    }

    async fn watch(self, stream: TcpStream) {
        let mut lines = BufReader::new(stream).lines();
        let Ok(Some(name)) = lines.next_line().await else {
            return;
        };
        self.with(|counts| {
            let count = counts.entry(name.clone()).or_default();
            count.starts += 1;
            count.alive += 1;
            count.most = count.most.max(count.alive);
        });
        while let Ok(Some(_)) = lines.next_line().await {}
        self.with(|counts| counts.entry(name).or_default().alive -= 1);
    }

    fn with<T>(&self, use_them: impl FnOnce(&mut BTreeMap<String, Count>) -> T) -> T {
        use_them(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
