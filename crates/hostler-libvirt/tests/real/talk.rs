//! Talking to a node and to a guest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_core::id::VmId;
use hostler_wire::node_api::{TOKEN_HEADER, VmEnsure, VmEntry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::control::KEY;

/// A guest under emulation on a busy machine takes this long at most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A node's API.
pub(crate) struct Api {
    pub(crate) base: String,
    client: reqwest::Client,
}

impl Api {
    pub(crate) fn new(address: std::net::SocketAddr) -> Self {
        Self {
            base: format!("http://{address}"),
            client: reqwest::Client::new(),
        }
    }

    pub(crate) async fn ensure(&self, vm: VmId, ensure: &VmEnsure) -> (u16, String) {
        let url = format!("{}/vms/{vm}", self.base);
        let asked = self.client.put(url).header(TOKEN_HEADER, KEY).json(ensure);
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let url = format!("{}{path}", self.base);
        let answer = self
            .client
            .get(url)
            .header(TOKEN_HEADER, KEY)
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.bytes().await.unwrap().to_vec(),
        )
    }

    /// Waits until what is said of a VM is so.
    pub(crate) async fn seen(
        &self,
        vm: VmId,
        what: &str,
        wanted: impl Fn(&VmEntry) -> bool,
    ) -> VmEntry {
        let mut last = String::new();
        let seen = async {
            loop {
                let (status, body) = self.get(&format!("/vms/{vm}")).await;
                last = String::from_utf8_lossy(&body).into_owned();
                if status == 200 {
                    let entry: VmEntry = serde_json::from_slice(&body).unwrap();
                    if wanted(&entry) {
                        return entry;
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, seen).await;
        in_time.unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}; last {last}"))
    }

    /// A console: the bytes behind the answer to the upgrade.
    pub(crate) async fn console(&self, vm: VmId, which: &str) -> Console {
        let host = self.base.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "GET /vms/{vm}/console/{which} HTTP/1.1\r\nhost: {host}\r\n{TOKEN_HEADER}: {KEY}\r\n\
             connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        Console { stream }
    }
}

/// A WebSocket, as far as a test needs it.
pub(crate) struct Console {
    stream: TcpStream,
}

impl Console {
    /// The next message.
    pub(crate) async fn message(&mut self) -> Vec<u8> {
        let read = async {
            let kind = self.stream.read_u8().await.unwrap();
            assert_eq!(kind, 0x82, "a whole binary message");
            let length = match self.stream.read_u8().await.unwrap() {
                126 => self.stream.read_u16().await.unwrap().into(),
                127 => self.stream.read_u64().await.unwrap(),
                short => short.into(),
            };
            let mut bytes = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut bytes).await.unwrap();
            bytes
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("a message in time")
    }

    /// Sends a line, masked with zeros.
    pub(crate) async fn line(&mut self, line: &str) {
        let line = format!("{line}\n");
        assert!(line.len() < 126);
        let length = u8::try_from(line.len()).unwrap();
        let mut frame = vec![0x82, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(line.as_bytes());
        self.stream.write_all(&frame).await.unwrap();
    }

    /// Reads until a text has come.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let mut heard = String::new();
        while !heard.contains(text) {
            heard.push_str(&String::from_utf8_lossy(&self.message().await));
        }
        heard
    }
}

/// What a guest has said on its serial line so far.
pub(crate) struct Log(pub(crate) PathBuf);

impl Log {
    pub(crate) fn text(&self) -> String {
        let bytes = std::fs::read(Path::new(&self.0)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has said a text so often.
    pub(crate) async fn says(&self, text: &str, times: usize) -> String {
        let said = async {
            while self.text().matches(text).count() < times {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, said).await;
        let said = self.text();
        assert!(in_time.is_ok(), "not said {times} times: {text}\n{said}");
        said
    }
}
