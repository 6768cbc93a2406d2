//! A control NATS of the test's own: a child that dies with the test.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::Client;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::PATIENCE;

pub(crate) struct ControlNats {
    server: Server,
    folder: TempDir,
    port: u16,
    monitor: u16,
}

/// The server's process, which ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl ControlNats {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, port, monitor) = spawn(&folder, "-1").await;
        Self {
            server,
            folder,
            port,
            monitor,
        }
    }

    /// Kills the server and starts another on the same port and files.
    pub(crate) async fn restart(&mut self) {
        self.server.0.kill().unwrap();
        self.server.0.wait().unwrap();
        let port = self.port.to_string();
        (self.server, self.port, self.monitor) = spawn(&self.folder, &port).await;
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn client(&self) -> Client {
        async_nats::connect(self.url()).await.unwrap()
    }

    /// How many subscriptions match a subject, by the server's own count.
    pub(crate) async fn subscriptions(&self, subject: &str) -> usize {
        let subject = subject.replace('$', "%24");
        let mut stream = TcpStream::connect(("127.0.0.1", self.monitor))
            .await
            .unwrap();
        let request =
            format!("GET /subsz?subs=1&test={subject} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["subscriptions_list"].as_array().map_or(0, Vec::len)
    }
}

async fn spawn(folder: &TempDir, port: &str) -> (Server, u16, u16) {
    for old in ports_files(folder) {
        std::fs::remove_file(old).unwrap();
    }
    let server = Command::new("nats-server")
        .args(["-a", "127.0.0.1", "-p", port, "-m", "-1", "-js", "-sd"])
        .arg(folder.path().join("jetstream"))
        .arg("--ports_file_dir")
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Server)
        .expect("nats-server is installed");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ports = ports_files(folder)
            .first()
            .and_then(|path| ports_read(path));
        if let Some((port, monitor)) = ports {
            return (server, port, monitor);
        }
        assert!(Instant::now() < deadline, "no nats-server");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn ports_files(folder: &TempDir) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "ports"))
        .collect()
}

fn ports_read(path: &std::path::Path) -> Option<(u16, u16)> {
    let text = std::fs::read_to_string(path).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    let port = |kind: &str| {
        let url = ports[kind][0].as_str()?;
        url.rsplit(':').next()?.parse().ok()
    };
    Some((port("nats")?, port("monitoring")?))
}
